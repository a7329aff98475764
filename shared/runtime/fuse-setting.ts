/** The setting `fuse`: steps that a function's processes may go on with, after the function's own. Empty: none. */

/** @throws RangeError naming what is not among `held`: the steps that the function's bundle has beside its own */
export function fuseSetting(text: string | undefined, held: readonly string[]): string[] {
  const names = (text ?? "").split(",").map((name) => name.trim());
  const wanted = [...new Set(names)].filter((name) => name !== "");
  const unknown = wanted.find((name) => !held.includes(name));
  if (unknown === undefined) return wanted;
  const there = held.length === 0 ? "this function can't be fused with any" : `there are ${held.join(", ")}`;
  throw new RangeError(`environment variable fuse names the step ${unknown}: ${there}`);
}
