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
import { aggregating, checkSummary } from "#data/group-size/following-algorithm";
import { onlyTableOf } from "#data/input-table";
import { passTable } from "#data/pass-table";
import { rehearsalTable } from "#data/rehearsal-table";
import type { TableNotes } from "#data/table-notes";
import type { Emit } from "#data/table-sink";
import { sourceOf, type TableSource, tableSource } from "#data/table-source";
import { isRows } from "#domain/head";
import { forwardResult } from "#domain/outcome";
import { groupsLeftOut, nothingTold, smallestGroupOf } from "#domain/smallest-group";
import { DynamosError } from "#errors";
import { defineStep } from "#runtime/define-step";
import { algorithmNamed } from "./algorithms.ts";
import { averagesOver, averagesReader, checkAveragesAsked } from "./averages-document.ts";
import { chooseColumns } from "./choose-columns.ts";
import { type Computed, computation } from "./compute.ts";
import { placedColumns, readColumns } from "./read-columns.ts";

interface Facts {
  readonly result: Result;
}

interface Input {
  readonly table: Table;
  readonly source: TableSource;
  readonly emit: Emit;
  /** Values that a group must have. */
  readonly least: number;
}

const noAlgorithm: Algorithm = { name: "", column: "", groupBy: [] };

export default defineStep<Facts>({
  name: "sql-algorithm",
  isolation: "single-use",
  accepts: "result",
  // What the table's content causes is thrown here, where a failure may be.
  facts: async (envelope, _context, flow) => {
    const table = onlyTableOf(envelope);
    const least = smallestGroupOf(envelope.approvals);
    const input = { table, source: tableSource(table, flow.bytesOf(0)), emit: flow.emit, least };
    const asked = envelope.query?.algorithm ?? noAlgorithm;
    const isAggregating = aggregating(asked) !== undefined;
    if (isAggregating && envelope.approvals.some(({ terms }) => terms?.aggregatesOnly)) checkSummary(asked);
    return { result: await resultOf(asked, input, measureOf(envelope)) };
  },
  decide: (_envelope, { result }): Outcome => forwardResult(result),
  rehearse: async () => {
    const table = rehearsalTable([
      { name: "group", kind: "text" },
      { name: "value", kind: "int64" },
    ]);
    const input = { table, source: sourceOf(table), emit: async () => {}, least: 0 };
    await resultOf({ name: "average", column: "value", groupBy: ["group"] }, input, undefined);
  },
});

/** One pass over the rows, whatever is computed. */
async function resultOf(asked: Algorithm, input: Input, measure: TableNotes["measure"]): Promise<Result> {
  const { source, emit, least } = input;
  if (isRows(asked)) {
    checkNothingAsked(asked);
    return { table: await passTable(input.table, source, emit), chart: undefined, document: undefined };
  }
  const isOriginals = asked.name.toLowerCase() === "averages";
  if (isOriginals) checkAveragesAsked(asked);
  const columns = placedColumns(source);
  const averages = isOriginals ? averagesReader(columns, least) : undefined;
  const over = isOriginals ? averagesOver : asked;
  const algorithm = algorithmNamed(over.name);
  const chosen = chooseColumns(algorithm, over, columns, source.notes.measure ?? measure);
  const computed = computation(algorithm, chosen, least);
  await readColumns(source, averages === undefined ? [computed] : [computed, averages]);
  const done = computed.finish();
  const remarks = [...(source.notes.remarks ?? []), ...suppression(done, least)];
  const notes = { algorithm: { name: algorithm.name, over: chosen.over?.spec.name ?? "" } };
  const table = done.table(remarks.length === 0 ? notes : { ...notes, remarks });
  return { table, chart: undefined, document: averages?.finish() };
}

function suppression({ leftOut, values }: Computed, least: number): string[] {
  if (values < least) return [nothingTold(least)];
  return leftOut === 0 ? [] : [groupsLeftOut(leftOut, least)];
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
