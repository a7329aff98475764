/** What is remembered of queries and messages until nothing can ask for it: none outlives the longest deadline. */
import { limits } from "#domain/limits";
import type { Clock } from "#ports/clock";

export class Remembered<Value> {
  readonly #clock: Clock;
  readonly #max: number;
  /** The oldest first. */
  readonly #entries = new Map<string, { readonly untilMs: number; readonly value: Value }>();

  /** @param max entries at once; the oldest go. Absent: as many as there are */
  constructor(clock: Clock, max = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#max = max;
  }

  set(key: string, value: Value): void {
    const now = this.#clock.now();
    for (const [old, { untilMs }] of this.#entries) {
      if (untilMs > now && this.#entries.size < this.#max) break;
      this.#entries.delete(old);
    }
    // At the end, also when it was there.
    this.#entries.delete(key);
    this.#entries.set(key, { untilMs: now + limits.queryTimeoutMsMax, value });
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.untilMs > this.#clock.now() ? entry.value : undefined;
  }
}
