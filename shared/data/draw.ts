/** Chance that repeats itself: the same seed, the same draws, on every machine. Not for secrets. */

export interface Draw {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  chance(probability: number): boolean;
  oneOf(items: readonly string[]): string;
  /** About 0, bell shaped, with this spread (standard deviation). */
  around(spread: number): number;
}

/** Source: mulberry32, a 32-bit generator by Tommy Ettinger (public domain). */
export function createDraw(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (limit) => Math.floor(next() * limit),
    chance: (probability) => next() < probability,
    oneOf: (items) => items[Math.floor(next() * items.length)] ?? "",
    // The sum of twelve uniform draws less six has mean 0 and variance 1.
    around: (spread) => (Array.from({ length: 12 }, next).reduce((sum, value) => sum + value, 0) - 6) * spread,
  };
}
