/** Whether a record batch is what it says that it is: who reads its memory relies on that, and bytes from elsewhere may lie. */
import type { Data, RecordBatch, Schema } from "apache-arrow";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { type ColumnSpec, isSameType, specOf } from "./column-kind.ts";
import { widths } from "./column-memory.ts";
import { countBits } from "./validity-bits.ts";
import { isText } from "./vector-text.ts";

/**
 * @param schema the table's; the batch's own may be another
 * @throws DynamosError ENVELOPE_INVALID naming the column
 */
export function checkBatch(batch: RecordBatch, schema: Schema): void {
  const rows = batch.data.length;
  const columns = batch.data.children;
  if (columns.length !== schema.fields.length) throw broken("a batch has other columns than its table");
  if (!Number.isInteger(rows) || rows < 0 || rows > limits.tableRowsMax)
    throw broken(`a batch says it has ${rows} rows`);
  for (const [i, field] of schema.fields.entries()) {
    const column = columns[i] as Data;
    const problem = isSameType(column.type, field.type)
      ? problemOf(column, specOf(field), rows)
      : `a batch has it as ${column.type}`;
    if (problem !== undefined) throw broken(`column ${field.name}: ${problem}`);
  }
}

function problemOf(column: Data, spec: ColumnSpec, rows: number): string | undefined {
  if (column.length !== rows || column.offset !== 0) return `it has ${column.length} of ${rows} rows`;
  return (
    nullsProblem(column, rows) ?? (spec.kind === "text" ? textProblem(column, rows) : roomProblem(column, spec, rows))
  );
}

function nullsProblem({ nullCount, nullBitmap }: Data, rows: number): string | undefined {
  if (nullCount === 0) return undefined;
  const hasBits = nullBitmap instanceof Uint8Array && nullBitmap.length * 8 >= rows;
  const counted = hasBits ? rows - countBits({ bits: nullBitmap, at: 0 }, rows) : undefined;
  return counted === nullCount
    ? undefined
    : `it says it has ${nullCount} nulls, and its bits say ${counted ?? "nothing"}`;
}

function roomProblem({ values }: Data, { kind }: ColumnSpec, rows: number): string | undefined {
  const bytes = kind === "boolean" ? (rows + 7) >> 3 : rows * widths[kind as keyof typeof widths];
  const given = ArrayBuffer.isView(values) ? values.byteLength : 0;
  return given >= bytes ? undefined : `it has ${given} bytes where ${bytes} are needed`;
}

function textProblem({ valueOffsets, values }: Data, rows: number): string | undefined {
  if (rows === 0) return undefined;
  if (!(valueOffsets instanceof Int32Array) || valueOffsets.length <= rows) return "it lacks the ends of its texts";
  const bytes = values instanceof Uint8Array ? values : new Uint8Array();
  const first = valueOffsets[0] as number;
  let at = first;
  for (let row = 1; row <= rows; row++) {
    const next = valueOffsets[row] as number;
    if (next < at) return "a text ends before it begins";
    at = next;
  }
  if (first < 0 || at > bytes.length) return "its texts are not within its bytes";
  return isText(bytes, valueOffsets.subarray(0, rows + 1)) ? undefined : "a text is not UTF-8";
}

function broken(message: string): DynamosError {
  return new DynamosError(ErrorCode.ENVELOPE_INVALID, message);
}
