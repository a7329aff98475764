/** The most that processes hold together, by looking at them again and again; this process with them. */
import { pssMib, treeOf } from "./processes.ts";

export interface MemoryPeak {
  /** MiB of PSS, each at its own highest; a part without roots is this process. */
  readonly parts: Readonly<Record<string, number>>;
  readonly together: number;
}

const everyMs = 250;
/** Of the time, at most: looking keeps this process from its own part of the work. */
const lookingShareMax = 0.1;

/** @param parts the processes of each, to which all below them belong */
export function watchMemory(parts: Readonly<Record<string, readonly number[]>>): { stop(): MemoryPeak } {
  const highest: Record<string, number> = {};
  let together = 0;
  let timer: NodeJS.Timeout;
  const look = () => {
    const startedAt = performance.now();
    let sum = 0;
    for (const [name, roots] of Object.entries(parts)) {
      const mib = pssMib(roots.length === 0 ? [process.pid] : treeOf(roots));
      highest[name] = Math.max(highest[name] ?? 0, mib);
      sum += mib;
    }
    together = Math.max(together, sum);
    timer = setTimeout(look, Math.max(everyMs, (performance.now() - startedAt) / lookingShareMax));
  };
  look();
  return {
    stop() {
      clearTimeout(timer);
      return { parts: highest, together };
    },
  };
}
