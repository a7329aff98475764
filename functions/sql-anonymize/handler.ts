/** Makes the columns that a steward has marked less telling before the table goes on. */
import type { Table } from "#contracts";
import { onlyTableOf } from "#data/input-table";
import { rehearsalTable } from "#data/rehearsal-table";
import { sourceOf, tableSource } from "#data/table-source";
import { forwardResult } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";
import { anonymizeTable } from "./anonymize-table.ts";

export default defineStep<Table>({
  name: "sql-anonymize",
  isolation: "single-use",
  accepts: "result",
  // All of it is pure, and what the table's content causes is thrown here, where a failure may be.
  facts: (envelope, _context, flow) => {
    const own = envelope.knowledge?.dataSets.filter(({ party }) => party === envelope.party);
    const table = onlyTableOf(envelope);
    return anonymizeTable({ table, source: tableSource(table, flow.bytesOf(0)) }, own ?? [], flow.emit);
  },
  decide: (_, table) => forwardResult({ table, chart: undefined, document: undefined }),
  rehearse: async () => {
    const table = rehearsalTable([
      { name: "born", kind: "int64", anonymize: "year" },
      { name: "name", kind: "text", anonymize: "mask" },
    ]);
    await anonymizeTable({ table, source: sourceOf(table) }, [], async () => {});
  },
});
