/** RFC 6902 on an object in memory, which is changed. */

export interface PatchStep {
  readonly op: "add" | "replace" | "remove";
  /** RFC 6901. */
  readonly path: string;
  readonly value?: unknown;
}

/** @throws RangeError naming the path that is not there */
export function patched(document: object, steps: readonly PatchStep[]): void {
  for (const step of steps) {
    const names = step.path
      .slice(1)
      .split("/")
      .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = names.pop() as string;
    let holder: unknown = document;
    for (const name of names) holder = childOf(holder, name);
    if (typeof holder !== "object" || holder === null) throw notThere(step.path);
    // Each target gets its own copy: a later patch may change it.
    const value = structuredClone(step.value);
    if (Array.isArray(holder)) changeList(holder, last, { ...step, value });
    else changeMap(holder as Record<string, unknown>, last, { ...step, value });
  }
}

function changeList(list: unknown[], last: string, { op, path, value }: PatchStep): void {
  const index = last === "-" ? list.length : Number(last);
  const end = op === "add" ? list.length : list.length - 1;
  if (!Number.isInteger(index) || index < 0 || index > end) throw notThere(path);
  if (op === "add") list.splice(index, 0, value);
  else if (op === "remove") list.splice(index, 1);
  else list[index] = value;
}

function changeMap(map: Record<string, unknown>, last: string, { op, path, value }: PatchStep): void {
  if (op !== "add" && !Object.hasOwn(map, last)) throw notThere(path);
  if (op === "remove") delete map[last];
  else map[last] = value;
}

function childOf(holder: unknown, name: string): unknown {
  if (Array.isArray(holder)) return holder[Number(name)];
  return typeof holder === "object" && holder !== null ? (holder as Record<string, unknown>)[name] : undefined;
}

function notThere(path: string): RangeError {
  return new RangeError(`patch ${path}: there is no such place`);
}
