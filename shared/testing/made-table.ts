/** Tables, and envelopes that bring them to a step, in one line of a test. */
import { Envelope, type Outcome, type Result, type Table } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { buildTable } from "#data/table-builder";
import { type JsonTable, toJsonTable } from "#data/table-json";

export function madeTable(specs: readonly ColumnSpec[], rows: readonly (readonly Cell[])[]): Table {
  const builder = buildTable(specs);
  for (const row of rows) builder.push(row);
  return builder.finish();
}

/** One input per provider. */
export function tableEnvelope(tables: Readonly<Record<string, Table>>, change: Partial<Envelope> = {}): Envelope {
  const inputs = Object.entries(tables).map(([provider, table]) => ({
    provider,
    payload: { content: { $case: "result" as const, value: { table, chart: undefined, document: undefined } } },
    failure: undefined,
  }));
  return { ...Envelope.fromPartial({ queryId: "q1", party: "UVA", deadlineMs: 1 }), inputs, ...change };
}

/** What a step forwards. @throws when it decided anything else */
export function forwardedResult({ decision }: Outcome): Result {
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  if (content?.$case !== "result") throw new Error(`not a result: ${JSON.stringify(decision)}`);
  return content.value;
}

export function forwardedTable(outcome: Outcome): JsonTable {
  const { table } = forwardedResult(outcome);
  if (table === undefined) throw new Error("the result holds no table");
  return toJsonTable(table.arrowIpc);
}
