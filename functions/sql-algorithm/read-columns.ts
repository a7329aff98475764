/** The columns that are needed, batch by batch, to all who need them in one pass. */
import type { Cell, ColumnSpec } from "#data/column-kind";
import type { TableSource } from "#data/table-source";
import { viewBatches } from "#data/table-view";

/** A column by its place in the table. */
export interface PlacedColumn {
  readonly spec: ColumnSpec;
  readonly place: number;
}

export interface BatchConsumer {
  readonly columns: readonly PlacedColumn[];
  /** @param cells of `columns`, in their order */
  take(rows: number, cells: readonly (readonly Cell[])[]): void;
}

export function placedColumns(source: TableSource): PlacedColumn[] {
  return source.specs.map((spec, place) => ({ spec, place }));
}

export async function readColumns(source: TableSource, consumers: readonly BatchConsumer[]): Promise<void> {
  for await (const batch of source.batches()) {
    for (const { columns, take } of consumers) {
      const specs = columns.map(({ spec }) => spec);
      const view = viewBatches(specs, [batch.selectAt(columns.map(({ place }) => place))]);
      take(
        batch.numRows,
        view.columns.map(({ cells }) => cells),
      );
    }
  }
}
