/** The fields of a JSON Schema, as paths into a document: what a steward can write, all of it. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** The key that stands for any: of a map from names to values. */
export const anyKey = "*";

export interface SchemaField {
  /** `["relations", "*", "validFrom"]` */
  readonly path: readonly string[];
  readonly schema: Schema;
}

/** Every property, those inside objects and maps too; a list is one field. */
export function fieldsOf(root: Schema): SchemaField[] {
  const resolved = (schema: Schema): Schema => {
    const name = schema.$ref?.replace("#/$defs/", "");
    if (name === undefined) return schema;
    const found = root.$defs?.[name];
    if (found === undefined) throw new RangeError(`the schema has no ${schema.$ref}`);
    return { ...found, ...schema };
  };
  const inside = (schema: Schema, path: readonly string[]): SchemaField[] => {
    const { properties = {}, additionalProperties } = resolved(schema);
    const named = Object.entries(properties);
    const any: [string, Schema][] = typeof additionalProperties === "object" ? [[anyKey, additionalProperties]] : [];
    return [...named, ...any].flatMap(([key, value]) => {
      const field = { path: [...path, key], schema: resolved(value) };
      return [field, ...inside(value, field.path)];
    });
  };
  return inside(root, []);
}

/** The places of a document that a path names: one for each key that `*` stands for. */
export function placesOf(document: unknown, path: readonly string[]): string[][] {
  const [key, ...rest] = path;
  if (key === undefined) return [[]];
  const object = (document ?? {}) as Record<string, unknown>;
  const keys = key === anyKey ? Object.keys(object) : key in object ? [key] : [];
  return keys.flatMap((name) => placesOf(object[name], rest).map((place) => [name, ...place]));
}

export function valueAt(document: unknown, place: readonly string[]): unknown {
  return place.reduce((value, key) => (value as Record<string, unknown>)[key], document);
}

/** A copy; `undefined` takes the place away. */
export function withValueAt(document: unknown, place: readonly string[], value: unknown): unknown {
  const copy = structuredClone(document) as Record<string, unknown>;
  const parent = valueAt(copy, place.slice(0, -1)) as Record<string, unknown>;
  const key = place.at(-1) ?? "";
  if (value === undefined) delete parent[key];
  else parent[key] = value;
  return copy;
}
