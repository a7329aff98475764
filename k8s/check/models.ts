/** The Kubernetes API as @kubernetes/client-node 1.4.0 (Kubernetes 1.34) knows it: fields, their types, and which must be there. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as client from "@kubernetes/client-node";

export interface Field {
  /** As in a manifest. */
  readonly name: string;
  /** Of the generator: `string`, `Array<V1Container>`, `{ [key: string]: string; }`. */
  readonly type: string;
  readonly format: string;
  readonly isRequired: boolean;
}

interface Model {
  getAttributeTypeMap(): readonly { name: string; baseName: string; type: string; format: string }[];
}

const sources = join(dirname(createRequire(import.meta.url).resolve("@kubernetes/client-node")), "gen/models");
const known = new Map<string, ReadonlyMap<string, Field>>();

/** @returns by name; undefined for what is no model */
export function fieldsOf(type: string): ReadonlyMap<string, Field> | undefined {
  const there = known.get(type);
  if (there !== undefined) return there;
  const model: unknown = (client as Readonly<Record<string, unknown>>)[type];
  if (!isModel(model)) return undefined;
  const required = requiredOf(type);
  const fields = model.getAttributeTypeMap().map(({ name, baseName, type: of, format }) => {
    return [baseName, { name: baseName, type: of, format, isRequired: required.has(name) }] as const;
  });
  const made = new Map(fields);
  known.set(type, made);
  return made;
}

function isModel(value: unknown): value is Model {
  return typeof value === "function" && "getAttributeTypeMap" in value;
}

/** The attribute map does not tell; the declarations do: `'name': string` without a question mark. */
function requiredOf(type: string): ReadonlySet<string> {
  const text = readFileSync(join(sources, `${type}.d.ts`), "utf8");
  return new Set([...text.matchAll(/^ {4}'(\w+)': /gm)].map(([, name]) => name as string));
}
