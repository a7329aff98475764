/** The rows of a table as text of a format, in pieces that are small and never hold the whole. */
import type { Cell, ColumnSpec } from "../column-kind.ts";
import type { TableSource } from "../table-source.ts";
import { viewBatches } from "../table-view.ts";

export interface RowFormat {
  /** Before the cell of each column: brackets, commas, keys. */
  readonly leads: readonly string[];
  readonly end: string;
  /** Between two rows. */
  readonly between: string;
  readonly cell: (cell: Cell, spec: ColumnSpec) => string;
}

/** Characters of one piece: cheap to send, and formatted in about a millisecond. */
const pieceChars = 65_536;

/**
 * The last piece is held back until the source has ended well, so that what was cut off never looks whole.
 * @throws DynamosError what the source fails with
 */
export async function* rowTexts(source: TableSource, format: RowFormat): AsyncGenerator<string> {
  const { leads, end, between, cell } = format;
  let text = "";
  let gap = "";
  for await (const batch of source.batches()) {
    const { rows, columns } = viewBatches(source.specs, [batch]);
    for (let row = 0; row < rows; row++) {
      if (text.length >= pieceChars) {
        yield text;
        text = "";
      }
      text += gap;
      gap = between;
      for (let i = 0; i < columns.length; i++) {
        const column = columns[i];
        if (column !== undefined) text += leads[i] + cell(column.cells[row] ?? null, column.spec);
      }
      text += end;
    }
  }
  yield text;
}
