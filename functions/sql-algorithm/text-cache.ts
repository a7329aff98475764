/** Texts that come again and again are known by their bytes: no string is made of them. */
import type { Data } from "apache-arrow";
import { isNull, textAt, validityOf } from "#data/column-values";
import type { BitsPlace } from "#data/validity-bits";

const places = 1_024;
const textBytesMax = 64;

/** By place. */
interface Known {
  readonly texts: (Uint8Array | undefined)[];
  readonly codes: Int32Array;
}

interface Texts {
  readonly values: Uint8Array;
  readonly offsets: Int32Array;
  readonly validity: BitsPlace | undefined;
}

export class TextCache {
  readonly #codeOf: (text: string) => number;
  readonly #known: Known = { texts: new Array(places), codes: new Int32Array(places) };

  /** @param codeOf asked for the texts that are not here, also again */
  constructor(codeOf: (text: string) => number) {
    this.#codeOf = codeOf;
  }

  /** @param codes one a row; those of rows without a value are left as they are */
  putCodes(column: Data, codes: Int32Array): void {
    const texts = { values: column.values, offsets: column.valueOffsets, validity: validityOf(column) };
    let text: ((row: number) => string) | undefined;
    for (let row = 0; ; row++) {
      row = putKnown(this.#known, texts, codes, row);
      if (row === codes.length) return;
      text ??= textAt(column);
      codes[row] = this.#codeOf(text(row));
      keep(this.#known, texts, row, codes[row] as number);
    }
  }
}

/** Until a text comes that is not known: functions of whoever asks are not called in this loop. @returns its row, or the end */
function putKnown(known: Known, { values, offsets, validity }: Texts, codes: Int32Array, first: number): number {
  for (let row = first; row < codes.length; row++) {
    if (isNull(validity, row)) continue;
    const from = offsets[row] as number;
    const to = offsets[row + 1] as number;
    if (to - from > textBytesMax) return row;
    const place = placeOf(values, from, to);
    const text = known.texts[place];
    if (text === undefined || !isSame(text, values, from, to)) return row;
    codes[row] = known.codes[place] as number;
  }
  return codes.length;
}

function keep(known: Known, { values, offsets }: Texts, row: number, code: number): void {
  const [from, to] = [offsets[row] as number, offsets[row + 1] as number];
  if (to - from > textBytesMax) return;
  const place = placeOf(values, from, to);
  known.texts[place] = values.slice(from, to);
  known.codes[place] = code;
}

/** FNV-1a, folded. Who makes texts meet in one place only makes them cost a string each. */
function placeOf(values: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (values[at] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (places - 1);
}

function isSame(text: Uint8Array, values: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let at = 0; at < text.length; at++) if (text[at] !== values[from + at]) return false;
  return true;
}
