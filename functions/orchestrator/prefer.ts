/** The `Prefer` header: RFC 7240. What is not known or can't be honoured is passed over. */

/** @returns the names of what is preferred, in lower case; values and parameters mean nothing here */
export function preferencesOf(prefer: string | undefined): ReadonlySet<string> {
  // A value in quotes may hold commas and names.
  const plain = (prefer ?? "").replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
  return new Set(plain.split(",").map((one) => (one.split(/[;=]/)[0] ?? "").trim().toLowerCase()));
}
