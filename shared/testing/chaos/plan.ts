/** What goes wrong when, drawn from a seed: the same seed, the same plan. */
import { createDraw, type Draw } from "#data/draw";

/** Where an instance of a sidecar dies: between two of taken, invoked, published, confirmed and acknowledged. */
export const gaps = ["taken", "invoked", "published", "confirmed"] as const;
export type Gap = (typeof gaps)[number];

export type Wound =
  /** The next invocation at the party ends as its worker's death would end it. */
  | { readonly kind: "worker"; readonly party: string }
  /** The next instance of the party's sidecar that gets there dies there. */
  | { readonly kind: "sidecar"; readonly party: string; readonly gap: Gap }
  /** Every connection of the party is reset, and can be made again after a while. */
  | { readonly kind: "cut"; readonly party: string; readonly forMs: number }
  /** Nothing passes for a while, and nobody is told. */
  | { readonly kind: "silence"; readonly party: string; readonly forMs: number }
  | { readonly kind: "broker" };

export interface ChaosQuery {
  readonly archetype: "computeToData" | "dataThroughTtp";
  /** Tables too large for a message. */
  readonly isLarge: boolean;
}

export interface ChaosRun {
  readonly index: number;
  /** `deaths`: of workers and sidecars only; one phase after the other. */
  readonly phase: "deaths" | "everything";
  readonly query: ChaosQuery;
  readonly wounds: readonly Wound[];
  /** From the query's start to its first wound's. */
  readonly afterMs: number;
}

const parties = ["UVA", "VU", "SURF", "exchange"];
/** A restart takes seconds, in which every query waits. */
const brokerChance = 1 / 250;
const secondWoundChance = 0.25;
const largeChance = 0.15;

/** Of a run that only sees deaths, which cost nothing but time, its query must be answered. */
const deathsShare = 0.5;

export function planOf(seed: number, runs: number): ChaosRun[] {
  const draw = createDraw(seed);
  const deathRuns = Math.ceil(runs * deathsShare);
  return Array.from({ length: runs }, (_, index) => ({
    index,
    phase: index < deathRuns ? "deaths" : "everything",
    query: {
      archetype: draw.chance(0.6) ? ("dataThroughTtp" as const) : ("computeToData" as const),
      isLarge: draw.chance(largeChance),
    },
    wounds: Array.from({ length: draw.chance(secondWoundChance) ? 2 : 1 }, () => woundOf(draw, index < deathRuns)),
    afterMs: draw.below(40),
  }));
}

function woundOf(draw: Draw, isDeath: boolean): Wound {
  if (!isDeath && draw.chance(brokerChance)) return { kind: "broker" };
  const party = draw.oneOf(parties);
  const deaths = ["worker", "sidecar", "sidecar", "sidecar"];
  const kind = draw.oneOf(isDeath ? deaths : [...deaths, "cut", "silence"]);
  if (kind === "worker") return { kind, party };
  if (kind === "sidecar") return { kind, party, gap: draw.oneOf(gaps) as Gap };
  return { kind: kind as "cut" | "silence", party, forMs: 20 + draw.below(300) };
}
