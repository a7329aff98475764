/**
 * Reads a body of application/vnd.dynamos.pieces from standard input: the bytes of the chunks, put
 * after each other, go to standard output, and the outcome, as protobuf, to the file that is named.
 * Needs nothing but Node, so that it can be copied: `node read-pieces.mjs outcome.binpb <body >rows.arrows`
 */
import { readFileSync, writeFileSync } from "node:fs";

const [outcomeFile = "outcome.binpb"] = process.argv.slice(2);
const body = readFileSync(0);

/** @returns the number and the position behind it */
function varint(at) {
  for (let value = 0, scale = 1; ; scale *= 128) {
    const byte = body[at++];
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at];
  }
}

for (let at = 0; at < body.length; ) {
  const [, inside] = varint(at);
  const [tag, afterTag] = varint(inside);
  const [length, start] = varint(afterTag);
  const content = body.subarray(start, start + length);
  // Fields of Piece in proto/dynamos/v1/envelope.proto: 2 is a chunk, whose bytes are its field 2; 3 is the outcome.
  if (tag >> 3 === 2) process.stdout.write(chunkBytes(start));
  if (tag >> 3 === 3) writeFileSync(outcomeFile, content);
  at = start + length;
}

/** In an answer a chunk has no other field: the input's number is left out where it is 0. */
function chunkBytes(start) {
  const [, afterTag] = varint(start);
  const [length, at] = varint(afterTag);
  return body.subarray(at, at + length);
}
