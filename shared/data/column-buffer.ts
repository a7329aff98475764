/** A growing column in Arrow's memory layout, from cells or from other columns. */
import type { Data } from "apache-arrow";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Cell, ColumnSpec } from "./column-kind.ts";
import { bytesOf, columnOf, widths } from "./column-memory.ts";
import { bitAt, copyBits, setBit, setBits } from "./validity-bits.ts";

/** Room for a table's bytes as text is reckoned before it is encoded: three bytes for each UTF-16 unit. */
const columnBytesMax = 3 * limits.tableBytesMax;
/** Below, a column grows in larger steps: most are small, and some grow to a batch. */
const manyBytes = 65_536;
const decimalMask = (1n << 64n) - 1n;

export class ColumnBuffer {
  readonly spec: ColumnSpec;
  length = 0;
  private nullCount = 0;
  private validity = new Uint8Array(128);
  private values: Buffer = Buffer.alloc(1_024);
  private valueBytes = 0;
  private offsets = new Int32Array(129);

  constructor(spec: ColumnSpec) {
    this.spec = spec;
  }

  /** About what the column takes on the wire. */
  get bytes(): number {
    return this.valueBytes + (this.spec.kind === "text" ? 4 * this.length : 0) + this.length / 8;
  }

  push(cell: Cell): void {
    this.growRows(1);
    if (cell === null) this.nullCount += 1;
    else setBit(this.validity, this.length);
    this.write(cell);
    this.length += 1;
  }

  /**
   * Rows of a column of the same type, as memory. What lies under its nulls is not taken along: it may be anything.
   *
   * @param column whose nulls, if it is of texts, have no bytes
   * @param to the row after the last
   */
  append(column: Data, from: number, to: number): void {
    const count = to - from;
    this.growRows(count);
    const place = { bits: this.validity, at: this.length };
    if (column.nullCount === 0) setBits(place.bits, place.at, count);
    else {
      const given = { bits: column.nullBitmap, at: column.offset + from };
      this.nullCount += count - copyBits(given, place, count);
    }
    if (this.spec.kind === "text") this.appendText(column, from, to);
    else if (this.spec.kind === "boolean") this.appendBits(column, from, count);
    else this.appendFixed(column, from, count, widths[this.spec.kind]);
    this.length += count;
  }

  /** The rows so far, in memory of their own. The buffer is empty then. */
  take(): Data {
    const { length, nullCount } = this;
    // Copies at offset 0: typed arrays need aligned memory.
    const data = columnOf(this.spec, {
      rows: length,
      nullCount,
      validity: nullCount === 0 ? null : this.validity.slice(0, (length + 7) >> 3),
      values: Uint8Array.prototype.slice.call(this.values, 0, this.valueBytes),
      ...(this.spec.kind === "text" ? { offsets: this.offsets.slice(0, length + 1) } : {}),
    });
    this.validity.fill(0, 0, (length + 7) >> 3);
    if (this.spec.kind === "boolean") this.values.fill(0, 0, this.valueBytes);
    this.length = 0;
    this.nullCount = 0;
    this.valueBytes = 0;
    return data;
  }

  private write(cell: Cell): void {
    const { kind } = this.spec;
    if (kind === "text") {
      this.writeText(cell === null ? "" : (cell as string));
      return;
    }
    if (kind === "boolean") {
      this.growBits(1);
      if (cell === true) setBit(this.values, this.length);
      return;
    }
    this.growValues(widths[kind]);
    const at = this.valueBytes;
    if (cell === null) this.values.fill(0, at, at + widths[kind]);
    else if (kind === "double") this.values.writeDoubleLE(cell as number, at);
    else if (kind === "date") this.values.writeInt32LE(cell as number, at);
    else if (kind === "decimal") this.writeDecimal(cell as bigint, at);
    else this.values.writeBigInt64LE(cell as bigint, at);
    this.valueBytes += widths[kind];
  }

  private writeText(text: string): void {
    // A UTF-16 unit takes at most three bytes in UTF-8.
    this.growValues(text.length * 3);
    this.valueBytes += this.values.write(text, this.valueBytes, "utf8");
    this.offsets[this.length + 1] = this.valueBytes;
  }

  /** Two's complement, 128 bits, little endian. */
  private writeDecimal(unscaled: bigint, at: number): void {
    const bits = BigInt.asUintN(128, unscaled);
    this.values.writeBigUInt64LE(bits & decimalMask, at);
    this.values.writeBigUInt64LE(bits >> 64n, at + 8);
  }

  private appendText({ valueOffsets, values }: Data, from: number, to: number): void {
    const begin = valueOffsets[from] ?? 0;
    const end = valueOffsets[to] ?? begin;
    this.growValues(end - begin);
    this.values.set((values as Uint8Array).subarray(begin, end), this.valueBytes);
    const shift = this.valueBytes - begin;
    const { offsets } = this;
    const first = this.length - from + 1;
    for (let row = from; row < to; row++) offsets[first + row] = (valueOffsets[row + 1] as number) + shift;
    this.valueBytes += end - begin;
  }

  private appendBits(column: Data, from: number, count: number): void {
    this.growBits(count);
    const given = { bits: column.values as Uint8Array, at: column.offset + from };
    copyBits(given, { bits: this.values, at: this.length }, count);
    if (column.nullCount === 0) return;
    for (let at = this.length >> 3; at < this.valueBytes; at++)
      this.values[at] = (this.values[at] ?? 0) & (this.validity[at] ?? 0);
  }

  private appendFixed(column: Data, from: number, count: number, width: number): void {
    this.growValues(count * width);
    const at = this.valueBytes;
    this.values.set(bytesOf(column.values as ArrayBufferView).subarray(from * width, (from + count) * width), at);
    if (column.nullCount > 0) {
      for (let row = 0; row < count; row++) {
        if (!bitAt(this.validity, this.length + row)) this.values.fill(0, at + row * width, at + (row + 1) * width);
      }
    }
    this.valueBytes += count * width;
  }

  private growRows(more: number): void {
    const rows = this.length + more;
    if ((rows + 7) >> 3 > this.validity.length) {
      this.validity = grown(this.validity, new Uint8Array(Math.max(this.validity.length * 2, (rows + 7) >> 3)));
    }
    if (this.spec.kind === "text" && rows >= this.offsets.length) {
      this.offsets = grown(this.offsets, new Int32Array(Math.max(this.offsets.length * 2, rows + 1)));
    }
  }

  private growBits(more: number): void {
    this.growValues(Math.max(0, ((this.length + more + 7) >> 3) - this.valueBytes));
    this.valueBytes = (this.length + more + 7) >> 3;
  }

  private growValues(more: number): void {
    if (this.valueBytes + more <= this.values.length) return;
    // Here and not only once in a thousand rows: one cell alone can be too much.
    if (this.valueBytes + more > columnBytesMax) {
      throw new DynamosError(
        ErrorCode.RESULT_TOO_LARGE,
        `column ${this.spec.name} is over ${limits.tableBytesMax} bytes`,
      );
    }
    const factor = this.values.length < manyBytes ? 8 : 2;
    this.values = grown(this.values, Buffer.alloc(Math.max(this.values.length * factor, this.valueBytes + more)));
  }
}

function grown<Bytes extends Uint8Array | Int32Array>(from: Bytes, to: Bytes): Bytes {
  to.set(from);
  return to;
}
