/** `Range: bytes=N-`: RFC 9110 section 14. */

export interface ByteRange {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
}

type Asked = { readonly first: number; readonly last?: number } | { readonly lastBytes: number };

/** @returns undefined where the field is to be ignored: another unit, several ranges, nonsense */
export function askedRange(field: string | undefined): Asked | undefined {
  const match = /^bytes=[ \t]*(\d{1,15})?-(\d{1,15})?[ \t]*$/i.exec(field ?? "");
  if (match === null) return undefined;
  const [, first, last] = match;
  if (first === undefined) return last === undefined ? undefined : { lastBytes: Number(last) };
  if (last === undefined) return { first: Number(first) };
  return Number(last) < Number(first) ? undefined : { first: Number(first), last: Number(last) };
}

/** @returns undefined when there are no bytes in it */
export function rangeWithin(asked: Asked, total: number): ByteRange | undefined {
  const first = "first" in asked ? asked.first : Math.max(0, total - asked.lastBytes);
  const last = Math.min(total - 1, "first" in asked ? (asked.last ?? total - 1) : total - 1);
  return first <= last ? { first, last } : undefined;
}

export async function* bytesWithin(
  pieces: AsyncIterable<Uint8Array>,
  { first, last }: ByteRange,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of pieces) {
    const part = piece.subarray(Math.max(0, first - at), last + 1 - at);
    const isEnough = at + piece.length > last;
    at += piece.length;
    if (at <= first) continue;
    if (part.length > 0) yield part;
    if (isEnough) return;
  }
}

export async function lengthOf(pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const piece of pieces) length += piece.length;
  return length;
}
