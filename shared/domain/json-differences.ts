/**
 * What changed between two JSON documents, as a JSON Patch (RFC 6902) of add, remove and replace.
 *
 * Our own: `rfc6902` compares two lists in time and memory of their product, and a list may have 2,000 columns;
 * `fast-json-patch` compares them place by place, so that one inserted name reads as a change of all after it.
 */
import { sortedNames } from "./by-name.ts";

export interface Difference {
  readonly op: "add" | "remove" | "replace";
  /** JSON pointer (RFC 6901). */
  readonly path: string;
  readonly value?: unknown;
}

/** In an order in which they can be applied: names sorted; what a list loses from its end on. */
export function differencesOf(before: unknown, after: unknown, path = ""): Difference[] {
  if (Array.isArray(before) && Array.isArray(after)) return ofLists(before, after, path);
  if (isObject(before) && isObject(after)) return ofObjects(before, after, path);
  return isSame(before, after) ? [] : [{ op: "replace", path, value: after }];
}

function ofObjects(before: JsonObject, after: JsonObject, path: string): Difference[] {
  return sortedNames([...Object.keys(before), ...Object.keys(after)]).flatMap((name): Difference[] => {
    const at = `${path}/${escaped(name)}`;
    if (!Object.hasOwn(after, name)) return [{ op: "remove", path: at }];
    if (!Object.hasOwn(before, name)) return [{ op: "add", path: at, value: after[name] }];
    return differencesOf(before[name], after[name], at);
  });
}

/** Between what both begin and what both end with, place by place. */
function ofLists(before: readonly unknown[], after: readonly unknown[], path: string): Difference[] {
  const shorter = Math.min(before.length, after.length);
  let first = 0;
  while (first < shorter && isSame(before[first], after[first])) first += 1;
  let same = 0;
  while (same < shorter - first && isSame(before.at(-1 - same), after.at(-1 - same))) same += 1;
  const [old, fresh] = [before.slice(first, before.length - same), after.slice(first, after.length - same)];
  const both = Math.min(old.length, fresh.length);
  return [
    ...fresh.slice(0, both).flatMap((value, index) => differencesOf(old[index], value, `${path}/${first + index}`)),
    ...old
      .slice(both)
      .map((_, index): Difference => ({ op: "remove", path: `${path}/${first + both + index}` }))
      .reverse(),
    ...fresh
      .slice(both)
      .map((value, index): Difference => ({ op: "add", path: `${path}/${first + both + index}`, value })),
  ];
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
  );
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
