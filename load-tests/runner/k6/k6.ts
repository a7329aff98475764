/** Stand-in of the module `k6`. */
import { runningOf, sample, setRunning } from "./bridge.ts";

type Checks<T> = Readonly<Record<string, (value: T) => unknown>>;

/** A check that throws ends the iteration, as in k6. */
export function check<T>(value: T, checks: Checks<T>, tags: Readonly<Record<string, string>> = {}): boolean {
  let all = true;
  for (const [name, isRight] of Object.entries(checks)) {
    const holds = Boolean(isRight(value));
    sample("checks", holds ? 1 : 0, { ...tags, check: name });
    all &&= holds;
  }
  return all;
}

export function fail(reason = ""): never {
  throw new Error(reason);
}

export function group<T>(name: string, run: () => T): T {
  const outer = runningOf("group");
  setRunning({ ...outer, groups: [...outer.groups, name] });
  try {
    return run();
  } finally {
    setRunning(outer);
  }
}

export function sleep(seconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, seconds) * 1_000);
}
