/**
 * A vector of texts as Arrow has them: their bytes one after the other. The engine has sixteen bytes for each: its
 * length, then the text itself or, beyond twelve bytes, where it is. Source: DuckDB, `string_type.hpp`.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { bitAt } from "./validity-bits.ts";
import type { VectorMemory } from "./vector-memory.ts";

export interface TextMemory {
  readonly values: Uint8Array;
  readonly offsets: Int32Array;
}

/** Bytes from where a pointer points to. @param pointer the engine's sixteen bytes of a text of this length */
export type ReadPointer = (pointer: Uint8Array, length: number) => Uint8Array;

const recordBytes = 16;
const recordWords = 4;
const inlineBytes = 12;

/**
 * @returns undefined for texts that are not UTF-8, which only the engine itself can make something of
 * @throws DynamosError RESULT_TOO_LARGE, before anything is copied
 */
export function vectorText(memory: VectorMemory, rows: number, read: ReadPointer): TextMemory | undefined {
  const { offsets, bytes } = endsOf(memory, rows);
  checkBytes(bytes, rows);
  const values = new Uint8Array(bytes);
  const spans = spanReader(memory, read);
  const { values: given } = memory;
  for (let row = 0; row < rows; ) {
    const at = offsets[row] as number;
    const length = (offsets[row + 1] as number) - at;
    if (length > inlineBytes) {
      row = spans(row, rows, values, at);
      continue;
    }
    const from = row * recordBytes + 4;
    for (let i = 0; i < length; i++) values[at + i] = given[from + i] as number;
    row += 1;
  }
  return isText(values, offsets) ? { values, offsets } : undefined;
}

/** For texts that nobody takes. @throws DynamosError RESULT_TOO_LARGE, as where they are taken */
export function checkTexts(memory: VectorMemory, rows: number): void {
  checkBytes(endsOf(memory, rows).bytes, rows);
}

/** @returns offsets that are right for as many bytes as are allowed */
function endsOf({ values, validity }: VectorMemory, rows: number): { offsets: Int32Array; bytes: number } {
  const words = wordsOf(values);
  const offsets = new Int32Array(rows + 1);
  let bytes = 0;
  for (let row = 0; row < rows; row++) {
    bytes += lengthAt(words, validity, row);
    offsets[row + 1] = bytes;
  }
  return { offsets, bytes };
}

function lengthAt(words: Uint32Array, validity: VectorMemory["validity"], row: number): number {
  return validity === null || bitAt(validity, row) ? (words[row * recordWords] as number) : 0;
}

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

function checkBytes(bytes: number, rows: number): void {
  if (bytes <= limits.tableBytesMax) return;
  const message = `a text column with more than ${limits.tableBytesMax} bytes in ${rows} rows: shorten it or aggregate`;
  throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, message);
}

/** Whether each text is UTF-8 by itself. @param offsets that do not fall, and are within the values */
export function isText(values: Uint8Array, offsets: Int32Array): boolean {
  const [first, end] = [offsets[0] ?? 0, offsets.at(-1) ?? 0];
  const all = values.subarray(first, end);
  if (isAscii(all)) return true;
  if (!isUtf8(all)) return false;
  // Each must begin where a character does, or a character would be cut in two.
  return offsets.every((at) => at === end || ((values[at] ?? 0) & 0xc0) !== 0x80);
}

/**
 * The engine lays the long texts of a result one behind the other, so that many are read at once; a byte that is no
 * part of a text is never read.
 */
function spanReader({ values, validity }: VectorMemory, read: ReadPointer) {
  const words = wordsOf(values);
  let span: Uint8Array = new Uint8Array(0);
  let spanAt = 0;
  const lengthOf = (row: number) => lengthAt(words, validity, row);
  const addressAt = (row: number) =>
    (words[row * recordWords + 2] as number) + (words[row * recordWords + 3] as number) * 2 ** 32;

  function readFrom(row: number, rows: number): void {
    spanAt = addressAt(row);
    let bytes = lengthOf(row);
    for (let next = row + 1; next < rows; next++) {
      const length = lengthOf(next);
      if (length <= inlineBytes) continue;
      if (addressAt(next) !== spanAt + bytes) break;
      bytes += length;
    }
    span = read(values.subarray(row * recordBytes, (row + 1) * recordBytes), bytes);
  }

  /** Copies the text of this row and of those that follow it in memory. @returns the row after them */
  return (row: number, rows: number, into: Uint8Array, at: number): number => {
    const address = addressAt(row);
    if (address < spanAt || address + lengthOf(row) > spanAt + span.length) readFrom(row, rows);
    let bytes = lengthOf(row);
    let next = row + 1;
    for (; next < rows; next++) {
      const length = lengthOf(next);
      if (length === 0) continue;
      const isNext = length > inlineBytes && addressAt(next) === address + bytes;
      if (!isNext || address + bytes + length > spanAt + span.length) break;
      bytes += length;
    }
    into.set(span.subarray(address - spanAt, address - spanAt + bytes), at);
    return next;
  };
}
