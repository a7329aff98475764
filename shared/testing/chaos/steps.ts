/** The steps of a chaos run: the real ones, over made-up rows instead of a data set. */
import type { Table } from "#contracts";
import { emitTable } from "#data/pass-table";
import { buildTable } from "#data/table-builder";
import { forwardResult } from "#domain/outcome";
import { defineStep, type Step } from "#runtime/define-step";
import archetypeSelector from "../../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../../functions/policy-enforcer/handler.ts";
import sqlAggregate from "../../../functions/sql-aggregate/handler.ts";
import sqlAlgorithm from "../../../functions/sql-algorithm/handler.ts";
import sqlAnonymize from "../../../functions/sql-anonymize/handler.ts";

export const rowsOf: Readonly<Record<string, Readonly<Record<"small" | "large", number>>>> = {
  UVA: { small: 3, large: 24_000 },
  VU: { small: 2, large: 17_000 },
};

const made = new Map<string, Table>();

/** `party` and the numbers from 0 on. */
export function rowsAt(party: string, size: "small" | "large"): [string, number][] {
  return Array.from({ length: rowsOf[party]?.[size] ?? 0 }, (_, i) => [party, i]);
}

function tableOf(party: string, size: "small" | "large"): Table {
  const known = made.get(`${party}/${size}`);
  if (known !== undefined) return known;
  const builder = buildTable([
    { name: "party", kind: "text" },
    { name: "number", kind: "int64" },
  ]);
  for (const [name, number] of rowsAt(party, size)) builder.push([name, BigInt(number)]);
  const table = builder.finish();
  made.set(`${party}/${size}`, table);
  return table;
}

const sqlQuery = defineStep<Table>({
  name: "sql-query",
  isolation: "shared",
  accepts: "nothing",
  facts: ({ party, query }, _context, { emit }) =>
    emitTable(tableOf(party, query?.sql.includes("large") ? "large" : "small"), emit),
  decide: (_, table) => forwardResult({ table, chart: undefined, document: undefined }),
});

export const stepsOf: Readonly<Record<string, readonly Step[]>> = {
  exchange: [policyEnforcer, archetypeSelector],
  UVA: [sqlQuery, sqlAnonymize, sqlAlgorithm],
  VU: [sqlQuery, sqlAnonymize, sqlAlgorithm],
  SURF: [sqlAggregate, sqlAlgorithm],
};
