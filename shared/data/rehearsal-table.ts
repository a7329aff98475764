/** A made-up table to rehearse a step with. */
import type { Table } from "#contracts";
import type { Cell, ColumnSpec } from "./column-kind.ts";
import { buildTable } from "./table-builder.ts";

/** Many: V8 compiles the loops over rows only when it has seen them work. */
const rows = 2_048;

type RehearsedColumn = ColumnSpec & { readonly kind: "text" | "int64" };

/** Some cells of each column are null, some come again and again; numbers read as dates too. */
export function rehearsalTable(columns: readonly RehearsedColumn[]): Table {
  const table = buildTable(columns);
  for (let row = 0; row < rows; row++) table.push(columns.map(({ kind }, i) => cellOf(kind, row, i)));
  return table.finish();
}

function cellOf(kind: RehearsedColumn["kind"], row: number, column: number): Cell {
  if (row % (5 + column) === 0) return null;
  return kind === "text" ? `text ${row % 3}` : 19_900_101n + BigInt(row % 28);
}
