/** The values of one group where all are needed in the end: eight bytes each as long as they fit. */
import type { Whole } from "#data/column-values";

const firstLength = 64;
const int64Limit = 2n ** 63n;
const wordRange = 2 ** 32;

export class DoubleStore {
  #values = new Float64Array(firstLength);
  #count = 0;

  push(value: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(2 * this.#count);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count++] = value;
  }

  /** Sorts in place: the order of the rows means nothing. */
  sorted(): Float64Array {
    return this.#values.subarray(0, this.#count).sort();
  }
}

export class IntegerStore {
  #values = new BigInt64Array(firstLength);
  /** The same memory: numbers are written without a bigint of each. */
  #words = new Int32Array(this.#values.buffer);
  #count = 0;
  /** Those beyond 64 bits, which only decimals have. */
  readonly #large: bigint[] = [];

  push(value: Whole): void {
    if (typeof value === "bigint" && (value >= int64Limit || value < -int64Limit)) {
      this.#large.push(value);
      return;
    }
    if (this.#count === this.#values.length) {
      const grown = new BigInt64Array(2 * this.#count);
      grown.set(this.#values);
      this.#values = grown;
      this.#words = new Int32Array(grown.buffer);
    }
    if (typeof value === "bigint") this.#values[this.#count] = value;
    else {
      this.#words[this.#count * 2] = value;
      this.#words[this.#count * 2 + 1] = Math.floor(value / wordRange);
    }
    this.#count += 1;
  }

  /** @returns the value at a place of the sorted whole */
  sorted(): (place: number) => bigint {
    const small = this.#values.subarray(0, this.#count).sort();
    const large = this.#large.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const below = large.filter((value) => value < 0n).length;
    return (place) => {
      if (place < below) return large[place] ?? 0n;
      return small[place - below] ?? large[place - small.length] ?? 0n;
    };
  }
}
