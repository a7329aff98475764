/** A table as JSON for people and their programs; no digit changes. */

import { cellText } from "./cell-text.ts";
import { type Cell, type ColumnSpec, kindText } from "./column-kind.ts";
import { notesOf } from "./table-notes.ts";
import { viewTable } from "./table-view.ts";

export interface JsonTable {
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly title?: string;
    readonly unit?: string;
  }[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
  /** What was changed or left out on the way, and why; absent when nothing was. */
  readonly remarks?: readonly string[];
}

/** @param arrowIpc an Arrow IPC stream */
export function toJsonTable(arrowIpc: Uint8Array): JsonTable {
  const table = { arrowIpc: Buffer.from(arrowIpc), rows: 0, transfer: undefined };
  const { rows, columns } = viewTable(table);
  const { remarks } = notesOf(table);
  return {
    columns: columnsJson(columns.map(({ spec }) => spec)),
    rows: Array.from({ length: rows }, (_, i) => columns.map(({ spec, cells }) => jsonCell(cells[i] ?? null, spec))),
    ...(remarks === undefined || remarks.length === 0 ? {} : { remarks }),
  };
}

export function columnsJson(specs: readonly ColumnSpec[]): JsonTable["columns"] {
  return specs.map((spec) => ({
    name: spec.name,
    type: kindText(spec),
    ...(spec.title ? { title: spec.title } : {}),
    ...(spec.unit ? { unit: spec.unit } : {}),
  }));
}

/**
 * Integers are numbers up to 2^53 and strings beyond; decimals are strings, dates `YYYY-MM-DD`,
 * timestamps ISO 8601 without zone. Doubles that JSON has no number for are the strings
 * `NaN`, `Infinity` and `-Infinity`.
 */
export function jsonCell(cell: Cell, spec: ColumnSpec): string | number | boolean | null {
  if (cell === null || typeof cell === "boolean" || typeof cell === "string") return cell;
  if (spec.kind === "double") return Number.isFinite(cell) ? (cell as number) : String(cell);
  if (spec.kind === "int64" && Number.isSafeInteger(Number(cell))) return Number(cell);
  return cellText(cell, spec);
}
