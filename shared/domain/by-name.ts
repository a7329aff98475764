/** The one order of names: by code unit, the same on every machine and in every locale. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Each name once, in order. */
export function sortedNames(names: Iterable<string>): string[] {
  return [...new Set(names)].sort(compareNames);
}

/** Names in both lists, each once, in order. */
export function commonNames(a: Iterable<string>, b: Iterable<string>): string[] {
  const inB = new Set(b);
  return sortedNames(a).filter((name) => inB.has(name));
}

/** For sentences: `computeToData, dataThroughTtp`, or `nothing`. Empty names, which the original writes for none, are left out. */
export function listed(names: readonly string[]): string {
  return names.filter((name) => name !== "").join(", ") || "nothing";
}
