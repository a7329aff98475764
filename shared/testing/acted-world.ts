/** A world whose data steps do what the test says, under the demo's agreements. */
import type { Envelope, Outcome } from "#contracts";
import { forwardResult } from "#domain/outcome";
import type { Step } from "#runtime/define-step";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";
import { personenOf } from "./personen.ts";
import { openWorld, type World, type WorldOptions } from "./world.ts";

export type Behaviour = (envelope: Envelope) => Outcome | Promise<Outcome>;

export interface ActedWorld {
  readonly world: World;
  /** By step, or by party and step: `VU sql-query`. Absent: it hands on a small document. */
  readonly behaviours: Record<string, Behaviour>;
  /** By party and step. */
  readonly calls: Readonly<Record<string, number>>;
}

const dataSteps = {
  UVA: ["sql-query", "sql-anonymize", "sql-algorithm"],
  VU: ["sql-query", "sql-anonymize", "sql-algorithm"],
  SURF: ["sql-aggregate", "sql-algorithm"],
} as const;

/** Of all its work, for whoever has to take them off a broker again. */
export const actedQueues: readonly string[] = [
  ...[policyEnforcer, archetypeSelector].map(({ name }) => `exchange.${name}`),
  ...Object.entries(dataSteps).flatMap(([party, steps]) => steps.map((step) => `${party.toLowerCase()}.${step}`)),
  ...["exchange", "uva", "vu", "surf"].map((party) => `${party}.gather`),
];

export const actedParties = ["exchange", ...Object.keys(dataSteps)];

/** Awaited by each call of the control steps. */
export interface ControlGates {
  readonly beforePolicy?: () => Promise<unknown>;
  readonly beforeSelection?: () => Promise<unknown>;
}

export async function openActedWorld(
  connect?: WorldOptions["connect"],
  { beforePolicy, beforeSelection }: ControlGates = {},
): Promise<ActedWorld> {
  const behaviours: Record<string, Behaviour> = {};
  const calls: Record<string, number> = {};
  const acted = (name: string): Step => ({
    name,
    isolation: "shared",
    accepts: name === "sql-query" ? "nothing" : "result",
    facts: async (envelope) => {
      const at = `${envelope.party} ${name}`;
      calls[at] = (calls[at] ?? 0) + 1;
      return (behaviours[at] ?? behaviours[name] ?? (() => documentOf(Buffer.from("{}"))))(envelope);
    },
    decide: (_, outcome: Outcome) => outcome,
  });
  const steps = Object.entries(dataSteps).map(([party, names]) => [party, names.map(acted)]);
  const world = await openWorld({
    documents: [...demoDocuments, personenOf("UVA"), personenOf("VU")],
    steps: {
      exchange: [gated(policyEnforcer, beforePolicy), gated(archetypeSelector, beforeSelection)],
      ...Object.fromEntries(steps),
    },
    ...(connect === undefined ? {} : { connect }),
  });
  return { world, behaviours, calls };
}

function gated(step: Step, before: (() => Promise<unknown>) | undefined): Step {
  if (before === undefined) return step;
  return {
    ...step,
    facts: async (...call) => {
      await before();
      return step.facts(...call);
    },
  };
}

/** A result without a table. */
export function documentOf(body: Buffer): Outcome {
  return forwardResult({
    table: undefined,
    chart: undefined,
    document: { mediaType: "application/json", body },
  });
}
