/** Texts that come again and again are known by their bytes: no string is made of them. */
import type { Data } from "apache-arrow";
import { textAt } from "#data/column-values";

const places = 1_024;
const textBytesMax = 64;

export class TextCache {
  readonly #codeOf: (text: string) => number;
  readonly #texts: (Uint8Array | undefined)[] = new Array(places);
  readonly #codes = new Int32Array(places);

  /** @param codeOf asked for the texts that are not here, also again */
  constructor(codeOf: (text: string) => number) {
    this.#codeOf = codeOf;
  }

  codeAt(column: Data): (row: number) => number {
    const values = column.values as Uint8Array;
    const { valueOffsets } = column;
    let text: ((row: number) => string) | undefined;
    const made = (row: number) => {
      text ??= textAt(column);
      return this.#codeOf(text(row));
    };
    return (row) => {
      const from = valueOffsets[row] as number;
      const to = valueOffsets[row + 1] as number;
      if (to - from > textBytesMax) return made(row);
      const place = placeOf(values, from, to);
      const known = this.#texts[place];
      if (known !== undefined && isSame(known, values, from, to)) return this.#codes[place] as number;
      const code = made(row);
      this.#texts[place] = values.slice(from, to);
      this.#codes[place] = code;
      return code;
    };
  }
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
