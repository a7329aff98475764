/** Computes one algorithm over the table that it gets. */
import {
  type Algorithm,
  type DataSet,
  type Envelope,
  ErrorCode,
  type Outcome,
  type Result,
  type Table,
} from "#contracts";
import { onlyTableOf } from "#data/input-table";
import { buildTable } from "#data/table-builder";
import { notesOf, type TableNotes, withNotes } from "#data/table-notes";
import { type TableView, viewTable } from "#data/table-view";
import { forwardResult } from "#domain/outcome";
import { DynamosError } from "#errors";
import { defineStep } from "#runtime/define-step";
import { algorithmNamed } from "./algorithms.ts";
import { averagesDocument, averagesOver, checkAveragesAsked } from "./averages-document.ts";
import { chooseColumns } from "./choose-columns.ts";
import { compute } from "./compute.ts";

interface Facts {
  readonly result: Result;
}

const noAlgorithm: Algorithm = { name: "", column: "", groupBy: [] };

export default defineStep<Facts>({
  name: "sql-algorithm",
  isolation: "single-use",
  accepts: "result",
  // All of it is pure, and what the table's content causes is thrown here, where a failure may be.
  facts: (envelope) => ({
    result: resultOf(envelope.query?.algorithm ?? noAlgorithm, onlyTableOf(envelope), envelope),
  }),
  decide: (_envelope, { result }): Outcome => forwardResult(result),
  rehearse: async () => {
    const table = buildTable([
      { name: "group", kind: "text" },
      { name: "value", kind: "int64" },
    ]);
    table.push(["a", 1n]);
    resultOf({ name: "average", column: "value", groupBy: ["group"] }, table.finish(), undefined);
  },
});

function resultOf(asked: Algorithm, table: Table, envelope: Envelope | undefined): Result {
  // As the original and the policy step call it: the rows as they are.
  if (asked.name === "" || asked.name.toLowerCase() === "rows") {
    checkNothingAsked(asked);
    return { table, chart: undefined, document: undefined };
  }
  const isOriginals = asked.name.toLowerCase() === "averages";
  if (isOriginals) checkAveragesAsked(asked);
  const view = viewTable(table);
  const notes = notesOf(table);
  const document = isOriginals ? averagesDocument(view) : undefined;
  return {
    table: computed(isOriginals ? averagesOver : asked, view, withMeasure(notes, envelope)),
    chart: undefined,
    document,
  };
}

/** A column without an algorithm would be passed over in silence. */
function checkNothingAsked({ name, column, groupBy }: Algorithm): void {
  if (column === "" && groupBy.length === 0) return;
  const field = column === "" ? "groupBy" : "column";
  const message = `the algorithm has a ${field} and ${name === "" ? "no name" : `the name ${name}`}, so nothing is computed over it`;
  throw new DynamosError(ErrorCode.INVALID_REQUEST, message);
}

function computed(asked: Algorithm, view: TableView, notes: TableNotes): Table {
  const algorithm = algorithmNamed(asked.name);
  const chosen = chooseColumns(algorithm, asked, view.columns, notes.measure);
  return withNotes(compute(algorithm, chosen, view), {
    algorithm: { name: algorithm.name, over: chosen.over?.spec.name ?? "" },
    ...(notes.remarks === undefined ? {} : { remarks: notes.remarks }),
  });
}

/** The table's own note counts; at the provider itself its data sets' descriptions are there too. */
function withMeasure(notes: TableNotes, envelope: Envelope | undefined): TableNotes {
  const described = envelope?.knowledge?.dataSets.find(
    (set: DataSet) => set.party === envelope.party && set.measure !== undefined,
  );
  return notes.measure !== undefined || described?.measure === undefined
    ? notes
    : { ...notes, measure: described.measure };
}
