/** Texts that come again and again are known by their bytes: no string is made of them. */
import type { Data } from "apache-arrow";
import { textAt, validityOf } from "#data/column-values";
import { bitAt } from "#data/validity-bits";

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

  /**
   * Of a text that is known, the loop calls no function: to call is what a process is slow at that sees few rows.
   *
   * @param codes a place for each row; those of rows without a value are left as they are
   */
  putCodes(column: Data, codes: Int32Array): void {
    const values = column.values as Uint8Array;
    const offsets = column.valueOffsets as Int32Array;
    const validity = validityOf(column);
    const [texts, known] = [this.#texts, this.#codes];
    let text: ((row: number) => string) | undefined;
    for (let row = 0; row < codes.length; row++) {
      if (validity !== undefined && !bitAt(validity.bits, validity.at + row)) continue;
      const from = offsets[row] as number;
      const length = (offsets[row + 1] as number) - from;
      let place = -1;
      if (length <= textBytesMax) {
        // FNV-1a, folded. Who makes texts meet in one place only makes them cost a string each.
        let hash = 0x811c9dc5;
        for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (values[from + i] as number), 0x01000193);
        place = (hash ^ (hash >>> 15)) & (places - 1);
        const there = texts[place];
        if (there !== undefined && there.length === length) {
          let i = 0;
          while (i < length && there[i] === values[from + i]) i++;
          if (i === length) {
            codes[row] = known[place] as number;
            continue;
          }
        }
      }
      text ??= textAt(column);
      const code = this.#codeOf(text(row));
      codes[row] = code;
      if (place === -1) continue;
      texts[place] = values.slice(from, from + length);
      known[place] = code;
    }
  }
}
