/** A growing column in Arrow's memory layout. Source: Arrow Columnar Format, "Physical Memory Layout". */
import { type Data, type DataType, makeData } from "apache-arrow";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { type Cell, type ColumnSpec, fieldOf } from "./column-kind.ts";

/** Bytes of one value; text and booleans have their own layout. */
const widths = { int64: 8, decimal: 16, double: 8, date: 4, timestamp: 8 } as const;
/** Room for a table's bytes as text is reckoned before it is encoded: three bytes for each UTF-16 unit. */
const columnBytesMax = 3 * limits.tableBytesMax;
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
    this.growRows();
    if (cell === null) this.nullCount += 1;
    else this.setBit(this.validity);
    this.write(cell);
    this.length += 1;
  }

  finish(): Data {
    const type = fieldOf(this.spec).type;
    const common = {
      type,
      length: this.length,
      nullCount: this.nullCount,
      nullBitmap: this.nullCount === 0 ? null : this.validity,
    };
    const bytes = this.values.subarray(0, this.valueBytes);
    // A copy at offset 0: typed arrays need aligned memory.
    const memory = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    switch (this.spec.kind) {
      case "text":
        return make({ ...common, valueOffsets: this.offsets.slice(0, this.length + 1), data: new Uint8Array(memory) });
      case "boolean":
        return make({ ...common, data: new Uint8Array(memory) });
      case "double":
        return make({ ...common, data: new Float64Array(memory) });
      case "date":
        return make({ ...common, data: new Int32Array(memory) });
      case "decimal":
        return make({ ...common, data: new Uint32Array(memory) });
      case "int64":
      case "timestamp":
        return make({ ...common, data: new BigInt64Array(memory) });
    }
  }

  private write(cell: Cell): void {
    const { kind } = this.spec;
    if (kind === "text") {
      this.writeText(cell === null ? "" : (cell as string));
      return;
    }
    if (kind === "boolean") {
      this.valueBytes = (this.length >> 3) + 1;
      this.growValues(0);
      if (cell === true) this.setBit(this.values);
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

  private setBit(bits: Uint8Array): void {
    bits[this.length >> 3] = (bits[this.length >> 3] ?? 0) | (1 << (this.length & 7));
  }

  private growRows(): void {
    if (this.length >> 3 >= this.validity.length)
      this.validity = grown(this.validity, new Uint8Array(this.validity.length * 2));
    if (this.length + 1 >= this.offsets.length)
      this.offsets = grown(this.offsets, new Int32Array(this.offsets.length * 2));
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
    this.values = grown(this.values, Buffer.alloc(Math.max(this.values.length * 2, this.valueBytes + more)));
  }
}

function grown<Bytes extends Uint8Array | Int32Array>(from: Bytes, to: Bytes): Bytes {
  to.set(from);
  return to;
}

/** The types of makeData tie the buffers to the type; ours is known only at run time. */
function make(props: { type: DataType; length: number; [buffer: string]: unknown }): Data {
  return makeData(props as never);
}
