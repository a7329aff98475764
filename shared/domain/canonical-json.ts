/** One text for one value, whoever writes it: what is signed, hashed or compared. */

/**
 * JSON with sorted keys, no space and nothing for what is undefined, as RFC 8785 has it.
 * A bigint is written as a string, as JSON's numbers are not exact beyond 2^53.
 *
 * @throws TypeError for what is not data: a function, a symbol, a number that is not finite
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === "bigint") return `"${value}"`;
  if (typeof value !== "object") throw new TypeError(`a ${typeof value} that is not data has no canonical JSON`);
  return Array.isArray(value) ? `[${value.map(itemJson).join(",")}]` : objectJson(value);
}

/** A list keeps its length: there is a place for what is undefined. */
function itemJson(item: unknown): string {
  return item === undefined ? "null" : canonicalJson(item);
}

/** The order of `sort()` is that of UTF-16 code units, as RFC 8785 asks. */
function objectJson(value: object): string {
  let members = "";
  for (const key of Object.keys(value).sort()) {
    const member: unknown = value[key as keyof typeof value];
    if (member === undefined) continue;
    members += `${members === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}
