import type { Writable } from "node:stream";

/** Resolves when it takes more, or nobody reads it any more: who waits for an answer hears of that otherwise. */
export function roomIn(to: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (to.destroyed) return resolve();
    const done = () => {
      to.off("drain", done);
      to.off("close", done);
      resolve();
    };
    to.on("drain", done);
    to.on("close", done);
  });
}
