/**
 * How long a decision takes under a large agreement: what policy says of a query and the plan that follows, and
 * beside it what a change of that agreement costs those who follow it.
 */
import type { Knowledge } from "#contracts";
import { agreementFromJson } from "#contracts/documents";
import { decisionOf } from "#domain/explain/explain";
import { makePlan } from "#domain/plan";
import { wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import { textTable } from "../print/text-table.ts";
import { percentile } from "./statistics.ts";

export interface DecisionBench {
  /** Relations of the agreement. */
  readonly sizes: readonly number[];
  readonly decisions: number;
  /** Changes of the agreement. */
  readonly changes: number;
}

export async function benchDecision({ sizes, decisions, changes }: DecisionBench, say: (line: string) => void) {
  const rows = sizes.flatMap((size) => measured(size, decisions, changes));
  say(
    textTable({
      columns: ["relations", "MiB of JSON", "what", "p50 ms", "p99 ms"].map((name) => ({ name })),
      rows,
    }),
  );
}

function measured(size: number, decisions: number, changes: number): unknown[][] {
  const text = JSON.stringify(agreementOf(size));
  const mib = (text.length / 1_048_576).toFixed(1);
  const agreement = agreementFromJson(JSON.parse(text), 7);
  const base = wageGapKnowledge();
  const knowledge: Knowledge = {
    ...base,
    agreements: [agreement, ...base.agreements.filter(({ name }) => name !== agreement.name)],
  };
  const users = Object.keys(agreement.relations);
  const decide = (index: number) => {
    // Another one each time, and as a rule one that was not looked up lately.
    const query = wageGapQuery({ user: { name: users[(index * 7_919) % size] ?? "" }, providers: ["VU"] });
    const plan = makePlan(query, decisionOf({ query, knowledge, nowMs: Date.now() }), knowledge, 1);
    if (!("chains" in plan)) throw new Error(`request ${index} was refused: ${plan.reasons[0]?.message}`);
  };
  const parsed = { json: undefined as unknown };
  return [
    line("decide and plan", timesOf(decisions, decide)),
    line(
      "parse the JSON",
      timesOf(changes, () => {
        parsed.json = JSON.parse(text);
      }),
    ),
    line(
      "check and read it",
      timesOf(changes, () => void agreementFromJson(parsed.json, 8)),
    ),
  ].map((cells) => [size.toLocaleString("en"), mib, ...cells]);
}

function line(what: string, ms: readonly number[]): string[] {
  return [what, percentile(ms, 0.5).toFixed(3), percentile(ms, 0.99).toFixed(3)];
}

function timesOf(count: number, once: (index: number) => void): number[] {
  for (let index = 0; index < Math.min(count, 200); index += 1) once(index);
  return Array.from({ length: count }, (_, index) => {
    const startedAt = performance.now();
    once(index);
    return performance.now() - startedAt;
  });
}

/** Every field in use, as an agreement of that size would have been written by a program. */
function agreementOf(relations: number) {
  const relation = {
    requestTypes: ["sqlDataRequest"],
    dataSets: ["wageGap"],
    allowedArchetypes: ["computeToData", "dataThroughTtp"],
    allowedComputeProviders: ["SURF"],
    allowedColumns: { Personen: ["Unieknr", "Geslacht"], Aanstellingen: ["Unieknr", "Salschal"] },
    validFrom: "2020-01-01T00:00:00Z",
    minimumGroupSize: 5,
  };
  return {
    name: "VU",
    computeProviders: ["SURF"],
    archetypes: ["computeToData", "dataThroughTtp"],
    relations: Object.fromEntries(Array.from({ length: relations }, (_, i) => [`user${i}@example.org`, relation])),
  };
}
