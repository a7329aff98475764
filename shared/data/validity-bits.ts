/** Arrow's validity bitmaps, also the engine's: a bit a row from the lowest on, 1: the row has a value. */

const onesOfByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1;
  return ones;
});

export function bitAt(bits: Uint8Array, at: number): boolean {
  return (((bits[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
}

export function setBit(bits: Uint8Array, at: number): void {
  bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
}

/** Bits that were 0. */
export function setBits(bits: Uint8Array, from: number, count: number): void {
  const end = from + count;
  let at = from;
  for (; at < end && (at & 7) !== 0; at++) setBit(bits, at);
  const whole = (end - at) >> 3;
  if (whole > 0) bits.fill(0xff, at >> 3, (at >> 3) + whole);
  for (at += whole * 8; at < end; at++) setBit(bits, at);
}

export interface BitsPlace {
  readonly bits: Uint8Array;
  /** The first bit. */
  readonly at: number;
}

/** @param to bits that were 0. @returns how many of the copied are 1 */
export function copyBits(from: BitsPlace, to: BitsPlace, count: number): number {
  let ones = 0;
  let done = 0;
  if ((from.at & 7) === 0 && (to.at & 7) === 0) {
    const [first, target, whole] = [from.at >> 3, to.at >> 3, count >> 3];
    for (let i = 0; i < whole; i++) {
      const byte = from.bits[first + i] ?? 0;
      to.bits[target + i] = byte;
      ones += onesOfByte[byte] ?? 0;
    }
    done = whole * 8;
  }
  for (; done < count; done++) {
    if (!bitAt(from.bits, from.at + done)) continue;
    setBit(to.bits, to.at + done);
    ones += 1;
  }
  return ones;
}

export function countBits({ bits, at }: BitsPlace, count: number): number {
  const end = at + count;
  let ones = 0;
  let next = at;
  for (; next < end && (next & 7) !== 0; next++) ones += bitAt(bits, next) ? 1 : 0;
  for (; next + 8 <= end; next += 8) ones += onesOfByte[bits[next >> 3] ?? 0] ?? 0;
  for (; next < end; next++) ones += bitAt(bits, next) ? 1 : 0;
  return ones;
}
