/** JSON as Go's encoding/json writes it: no space, maps in the order of their keys, and `<`, `>`, `&` escaped. */

/** A struct: fields in their order; absent and empty ones are left out, as `omitempty` says. */
export type Fields = readonly (readonly [name: string, value: unknown, keep?: "always"])[];

/** A struct within another; its fields keep their order, too. */
export class GoStruct {
  readonly fields: Fields;

  constructor(fields: Fields) {
    this.fields = fields;
  }
}

export function goJson(fields: Fields): string {
  const written = fields
    .filter(([, value, keep]) => keep === "always" || !isEmpty(value))
    .map(([name, value]) => `${text(name)}:${valueText(value)}`);
  return `{${written.join(",")}}`;
}

function valueText(value: unknown): string {
  if (typeof value === "string") return text(value);
  if (value instanceof GoStruct) return goJson(value.fields);
  if (Array.isArray(value)) return `[${value.map(valueText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${entries.map(([key, inner]) => `${text(key)}:${valueText(inner)}`).join(",")}}`;
}

function text(value: string): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && !(value instanceof GoStruct) && Object.keys(value).length === 0;
}
