/** What a sidecar says of its work to whoever measures in the same process (`npm run bench -- --only path`). */
import { channel } from "node:diagnostics_channel";

export interface PathMark {
  readonly what: "publish" | "handle" | "invoke" | "record";
  /** Routing key, queue or function; empty for a record. */
  readonly name: string;
  /** By `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Costs nothing while nobody listens. */
export const pathMarks = channel("dynamos:path");

export async function marked<T>(what: PathMark["what"], name: string, run: () => Promise<T>): Promise<T> {
  if (!pathMarks.hasSubscribers) return run();
  const startedAt = performance.now();
  try {
    return await run();
  } finally {
    pathMarks.publish({ what, name, startedAt, endedAt: performance.now() } satisfies PathMark);
  }
}
