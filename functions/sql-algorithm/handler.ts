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
import { passTable } from "#data/pass-table";
import { buildTable } from "#data/table-builder";
import { type TableNotes, withNotes } from "#data/table-notes";
import type { Emit } from "#data/table-sink";
import { sourceOf, type TableSource, tableSource } from "#data/table-source";
import { forwardResult } from "#domain/outcome";
import { DynamosError } from "#errors";
import { defineStep } from "#runtime/define-step";
import { algorithmNamed } from "./algorithms.ts";
import { averagesOver, averagesReader, checkAveragesAsked } from "./averages-document.ts";
import { chooseColumns } from "./choose-columns.ts";
import { computation } from "./compute.ts";
import { placedColumns, readColumns } from "./read-columns.ts";

interface Facts {
  readonly result: Result;
}

interface Input {
  readonly table: Table;
  readonly source: TableSource;
  readonly emit: Emit;
}

const noAlgorithm: Algorithm = { name: "", column: "", groupBy: [] };

export default defineStep<Facts>({
  name: "sql-algorithm",
  isolation: "single-use",
  accepts: "result",
  // What the table's content causes is thrown here, where a failure may be.
  facts: async (envelope, _context, flow) => {
    const table = onlyTableOf(envelope);
    const input = { table, source: tableSource(table, flow.bytesOf(0)), emit: flow.emit };
    return { result: await resultOf(envelope.query?.algorithm ?? noAlgorithm, input, measureOf(envelope)) };
  },
  decide: (_envelope, { result }): Outcome => forwardResult(result),
  rehearse: async () => {
    const builder = buildTable([
      { name: "group", kind: "text" },
      { name: "value", kind: "int64" },
    ]);
    builder.push(["a", 1n]);
    const table = builder.finish();
    const input = { table, source: sourceOf(table), emit: async () => {} };
    await resultOf({ name: "average", column: "value", groupBy: ["group"] }, input, undefined);
  },
});

/** One pass over the rows, whatever is computed. */
async function resultOf(asked: Algorithm, input: Input, measure: TableNotes["measure"]): Promise<Result> {
  const { table, source, emit } = input;
  // As the original and the policy step call it: the rows as they are.
  if (asked.name === "" || asked.name.toLowerCase() === "rows") {
    checkNothingAsked(asked);
    return { table: await passTable(table, source, emit), chart: undefined, document: undefined };
  }
  const isOriginals = asked.name.toLowerCase() === "averages";
  if (isOriginals) checkAveragesAsked(asked);
  const columns = placedColumns(source);
  const averages = isOriginals ? averagesReader(columns) : undefined;
  const over = isOriginals ? averagesOver : asked;
  const algorithm = algorithmNamed(over.name);
  const chosen = chooseColumns(algorithm, over, columns, source.notes.measure ?? measure);
  const computed = computation(algorithm, chosen);
  await readColumns(source, averages === undefined ? [computed] : [computed, averages]);
  const notes = { algorithm: { name: algorithm.name, over: chosen.over?.spec.name ?? "" }, ...remarksOf(source) };
  return { table: withNotes(computed.finish(), notes), chart: undefined, document: averages?.finish() };
}

function remarksOf({ notes: { remarks } }: TableSource): Pick<TableNotes, "remarks"> {
  return remarks === undefined ? {} : { remarks };
}

/** A column without an algorithm would be passed over in silence. */
function checkNothingAsked({ name, column, groupBy }: Algorithm): void {
  if (column === "" && groupBy.length === 0) return;
  const field = column === "" ? "groupBy" : "column";
  const message = `the algorithm has a ${field} and ${name === "" ? "no name" : `the name ${name}`}, so nothing is computed over it`;
  throw new DynamosError(ErrorCode.INVALID_REQUEST, message);
}

/** At the provider itself its data sets' descriptions are there; else the table brings its own note. */
function measureOf({ party, knowledge }: Envelope): TableNotes["measure"] {
  return knowledge?.dataSets.find((set: DataSet) => set.party === party && set.measure !== undefined)?.measure;
}
