/**
 * What Node drew ahead and holds ready (lib/internal/crypto/random.js), each fork would hand out again. So a parent
 * uses it up: the first draw of each child is the system's.
 */
import { createHook } from "node:async_hooks";
import { randomInt, randomUUID } from "node:crypto";

/** A UUID's random part, from a batch of 128; a number of six bytes, from 6 KiB. */
const draws = [
  { draw: () => void randomUUID(), held: 128 },
  { draw: () => void randomInt(2), held: 1_024 },
] as const;

/** @throws Error when this Node does not show that it fills its batches */
export function useUpHeldRandomness(): void {
  let filled = false;
  const hook = createHook({
    init: (_, type) => {
      filled ||= type === "RANDOMBYTESREQUEST";
    },
  }).enable();
  try {
    for (const { draw, held } of draws) {
      filled = false;
      for (let drawn = 0; !filled; drawn++) {
        if (drawn > held) throw new Error("this Node does not show what randomness it holds ready");
        draw();
      }
      // The draw that filled the batch took the first of it.
      for (let drawn = 1; drawn < held; drawn++) draw();
    }
  } finally {
    hook.disable();
  }
}
