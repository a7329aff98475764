/** Arithmetic that rounds once, at the end. */

/** The double nearest to a fraction, ties to even. @param denominator above 0 */
export function nearestDouble(numerator: bigint, denominator: bigint): number {
  const magnitude = numerator < 0n ? -numerator : numerator;
  if (magnitude === 0n) return 0;
  // A quotient of more than 54 bits whose last bit stands for whatever was cut off rounds as the whole would.
  const shift = 70 - (bitLength(magnitude) - bitLength(denominator));
  const scaled = shift > 0 ? magnitude << BigInt(shift) : magnitude;
  const divisor = shift > 0 ? denominator : denominator << BigInt(-shift);
  const quotient = scaled / divisor;
  const sticky = scaled % divisor === 0n ? quotient : quotient | 1n;
  return (numerator < 0n ? -1 : 1) * Number(sticky) * 2 ** -shift;
}

/** A fraction as decimal text, half away from zero: `11.877` for three digits. @param denominator above 0 */
export function roundedText(numerator: bigint, denominator: bigint, digits: number): string {
  const magnitude = numerator < 0n ? -numerator : numerator;
  const scaled = (magnitude * 10n ** BigInt(digits) * 2n + denominator) / (denominator * 2n);
  const text = scaled.toString().padStart(digits + 1, "0");
  const sign = numerator < 0n && scaled !== 0n ? "-" : "";
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/**
 * A sum of doubles, rounded once, so that their order does not matter. Source: J. R. Shewchuk,
 * "Adaptive Precision Floating-Point Arithmetic", 1997, as in Python's math.fsum.
 */
export class DoubleSum {
  readonly #partials: number[] = [];
  #special = 0;

  add(value: number): void {
    if (!Number.isFinite(value)) this.#special += value;
    else addTo(this.#partials, value);
  }

  get total(): number {
    const isSpecial = this.#special !== 0 || Number.isNaN(this.#special);
    return isSpecial ? this.#special : collapse(this.#partials);
  }
}

export function doubleSum(values: Iterable<number>): number {
  const sum = new DoubleSum();
  for (const value of values) sum.add(value);
  return sum.total;
}

function addTo(partials: number[], value: number): void {
  let rest = value;
  let kept = 0;
  for (const partial of partials) {
    const [large, small] = Math.abs(rest) < Math.abs(partial) ? [partial, rest] : [rest, partial];
    const high = large + small;
    const low = small - (high - large);
    if (low !== 0) {
      partials[kept] = low;
      kept += 1;
    }
    rest = high;
  }
  partials.length = kept;
  partials.push(rest);
}

function collapse(partials: readonly number[]): number {
  let index = partials.length - 1;
  let high = partials[index] ?? 0;
  let low = 0;
  while (index > 0 && low === 0) {
    index -= 1;
    const next = partials[index] ?? 0;
    const sum = high + next;
    low = next - (sum - high);
    high = sum;
  }
  const below = partials[index - 1] ?? 0;
  // What is left decides a tie.
  if (index > 0 && ((low < 0 && below < 0) || (low > 0 && below > 0))) {
    const twice = low * 2;
    const sum = high + twice;
    if (twice === sum - high) return sum;
  }
  return high;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}
