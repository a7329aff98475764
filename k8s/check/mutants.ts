/** Wrong copies of manifests, one mistake each, for tests of the check. */
import { kinds } from "./kinds.ts";
import { isObject, type Manifest, titleOf } from "./manifest.ts";
import { fieldsOf } from "./models.ts";

export interface Mutant {
  /** `StatefulSet dynamos/sidecar spec.template.spec.containers[0].image`. */
  readonly title: string;
  /** The same without indexes and names: `StatefulSet spec.template.spec.containers[].image`. */
  readonly pattern: string;
  readonly manifest: Manifest;
}

type Path = readonly (string | number)[];

/** Each field of the types misspelt, one after the other; keys of maps, which are free, are not fields. */
export function misspelt(manifest: Manifest): Mutant[] {
  const known = kinds[`${manifest.apiVersion} ${manifest.kind}`];
  if (known === undefined) return [];
  const places = "model" in known ? fieldPlaces(manifest, known.model, []) : objectPlaces(manifest, []);
  return places.map((path) =>
    mutant(manifest, path, (holder, last) => {
      holder[`${last}x`] = holder[last];
      delete holder[last];
    }),
  );
}

/** Each value made another of its type. */
export function altered(manifest: Manifest): Mutant[] {
  return leaves(manifest, []).map((path) =>
    mutant(manifest, path, (holder, last) => {
      const value = holder[last];
      if (typeof value === "number") holder[last] = value + 1_000_000;
      else holder[last] = typeof value === "boolean" ? !value : `${value}x`;
    }),
  );
}

/** Each field left out that its type asks for. */
export function incomplete(manifest: Manifest): Mutant[] {
  const known = kinds[`${manifest.apiVersion} ${manifest.kind}`];
  if (known === undefined || !("model" in known)) return [];
  return fieldPlaces(manifest, known.model, [], true).map((path) =>
    mutant(manifest, path, (holder, last) => {
      delete holder[last];
    }),
  );
}

function mutant(
  manifest: Manifest,
  path: Path,
  change: (holder: Record<string, unknown>, last: string) => void,
): Mutant {
  const copy = structuredClone(manifest);
  let holder: unknown = copy;
  for (const name of path.slice(0, -1)) holder = (holder as Record<string, unknown>)[name];
  change(holder as Record<string, unknown>, String(path.at(-1)));
  const text = path.map((name) => (typeof name === "number" ? `[${name}]` : `.${name}`)).join("");
  const pattern = path.map((name) => (typeof name === "number" ? "[]" : `.${name}`)).join("");
  return {
    title: `${titleOf(manifest)} ${text.slice(1)}`,
    pattern: `${manifest.kind} ${pattern.slice(1)}`,
    manifest: copy,
  };
}

function fieldPlaces(value: unknown, type: string, path: Path, onlyRequired = false): Path[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined && Array.isArray(value)) {
    return value.flatMap((item, index) => fieldPlaces(item, list, [...path, index], onlyRequired));
  }
  const fields = fieldsOf(type);
  if (fields === undefined || !isObject(value)) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    const field = fields.get(name);
    if (field === undefined) return [];
    const own = onlyRequired && !field.isRequired ? [] : [[...path, name]];
    return [...own, ...fieldPlaces(child, field.type, [...path, name], onlyRequired)];
  });
}

/** Without the keys of labels, which are free. */
function objectPlaces(value: unknown, path: Path): Path[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => objectPlaces(item, [...path, index]));
  if (!isObject(value) || path.at(-1) === "matchLabels" || path.join(".") === "metadata.labels") return [];
  return Object.entries(value).flatMap(([name, child]) => [[...path, name], ...objectPlaces(child, [...path, name])]);
}

function leaves(value: unknown, path: Path): Path[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => leaves(item, [...path, index]));
  if (isObject(value)) return Object.entries(value).flatMap(([name, child]) => leaves(child, [...path, name]));
  return [path];
}
