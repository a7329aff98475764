/** The columns that are needed, batch by batch, to all who need them in one pass. */
import type { Data } from "apache-arrow";
import type { ColumnSpec } from "#data/column-kind";
import type { TableSource } from "#data/table-source";

/** A column by its place in the table. */
export interface PlacedColumn {
  readonly spec: ColumnSpec;
  readonly place: number;
}

export interface BatchConsumer {
  readonly columns: readonly PlacedColumn[];
  /** @param given the `columns`, in their order */
  take(rows: number, given: readonly Data[]): void;
}

export function placedColumns(source: TableSource): PlacedColumn[] {
  return source.specs.map((spec, place) => ({ spec, place }));
}

export async function readColumns(source: TableSource, consumers: readonly BatchConsumer[]): Promise<void> {
  for await (const batch of source.batches()) {
    for (const { columns, take } of consumers) {
      take(
        batch.numRows,
        columns.map(({ place }) => batch.data.children[place] as Data),
      );
    }
  }
}
