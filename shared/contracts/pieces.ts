/**
 * A body of `application/vnd.dynamos.pieces`: messages `Piece` of envelope.proto, each preceded by
 * its length as a varint (protobuf's delimited form). Read and written here without the codecs, so
 * that a door passes a table on without decoding it.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export const piecesType = "application/vnd.dynamos.pieces";

/** Field numbers of Piece. */
export const pieceKinds = { envelope: 1, chunk: 2, outcome: 3, handedOn: 4 } as const;

export interface RawPiece {
  /** One of `pieceKinds`. */
  readonly kind: number;
  /** The encoded Envelope, Chunk or Outcome. */
  readonly body: Uint8Array;
}

/** To be written one after the other: the body is not copied. */
export function pieceParts(kind: number, body: Uint8Array): [Uint8Array, Uint8Array] {
  const inner = new BinaryWriter().tag(kind, WireType.LengthDelimited).uint32(body.length).finish();
  const outer = new BinaryWriter().uint32(inner.length + body.length).finish();
  return [Buffer.concat([outer, inner]), body];
}

/** The bytes of a Chunk. */
export function encodeChunk(input: number, body: Uint8Array): Uint8Array {
  const writer = new BinaryWriter();
  if (input !== 0) writer.tag(1, WireType.Varint).uint32(input);
  return writer.tag(2, WireType.LengthDelimited).bytes(body).finish();
}

/** @throws RangeError when the bytes are not pieces, break off in one, or one is over the limit */
export async function* readPieces(
  source: AsyncIterable<Uint8Array>,
  pieceBytesMax: number,
): AsyncGenerator<RawPiece, void, undefined> {
  const parts: Uint8Array[] = [];
  let held = 0;
  let wanted = 1;
  for await (const part of source) {
    parts.push(part);
    held += part.length;
    // Not at each part of a large piece: putting them together again and again would cost its square.
    while (held >= wanted) {
      const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, held);
      const found = firstPiece(bytes, pieceBytesMax);
      parts.length = 0;
      if (found.piece !== undefined) yield found.piece;
      held = bytes.length - found.end;
      if (held > 0) parts.push(bytes.subarray(found.end));
      wanted = found.piece === undefined ? Math.max(found.wanted, held + 1) : 1;
    }
  }
  if (held > 0) throw new RangeError("the body breaks off within a piece");
}

interface Found {
  readonly piece?: RawPiece;
  /** Bytes used up. */
  readonly end: number;
  /** Bytes needed before it is worth looking again. */
  readonly wanted: number;
}

const lengthBytesMax = 5;

function firstPiece(bytes: Uint8Array, pieceBytesMax: number): Found {
  const lengthBytes = bytes.subarray(0, lengthBytesMax).findIndex((byte) => byte < 0x80) + 1;
  if (lengthBytes === 0) {
    if (bytes.length >= lengthBytesMax) throw new RangeError("the body is not made of pieces");
    return { end: 0, wanted: bytes.length + 1 };
  }
  const length = new BinaryReader(bytes).uint32();
  if (length > pieceBytesMax) throw new RangeError(`a piece of ${length} bytes is over the limit of ${pieceBytesMax}`);
  const end = lengthBytes + length;
  if (bytes.length < end) return { end: 0, wanted: end };
  return { piece: pieceOf(bytes.subarray(lengthBytes, end)), end, wanted: 1 };
}

function pieceOf(bytes: Uint8Array): RawPiece {
  try {
    const reader = new BinaryReader(bytes);
    const [kind, type] = reader.tag();
    if (type !== WireType.LengthDelimited) throw new RangeError("not a field of a piece");
    const body = reader.bytes();
    if (reader.pos !== reader.len) throw new RangeError("more than one field in a piece");
    return { kind, body };
  } catch (cause) {
    throw new RangeError("the body is not made of pieces", { cause });
  }
}
