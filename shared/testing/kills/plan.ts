/** What is asked and what is killed in one run, from its seed alone: the same seed, the same plan. */
import { createDraw, type Draw } from "#data/draw";
import type { Asked } from "../mortal/ask-made-up.ts";
import type { Crash, Gap } from "../mortal/life.ts";

export type Kill =
  /** The process of the party's nth invocation. */
  | { readonly kind: "worker"; readonly party: string; readonly nth: number; readonly how: Crash }
  /** The sidecar that comes to the party's nth point of this kind; another is started after a while. */
  | {
      readonly kind: "sidecar";
      readonly party: string;
      readonly gap: Gap;
      readonly nth: number;
      readonly backMs: number;
    }
  /** One of the party's connections, a while after the run began. */
  | { readonly kind: "cut"; readonly party: string; readonly afterMs: number; readonly downMs: number }
  | { readonly kind: "slow"; readonly party: string; readonly afterMs: number; readonly byMs: number }
  | { readonly kind: "half-open"; readonly party: string; readonly afterMs: number }
  /** One of the party's processes; another is started. */
  | { readonly kind: "process"; readonly party: string; readonly afterMs: number };

export interface Run {
  readonly index: number;
  readonly queries: readonly Asked[];
  readonly kills: readonly Kill[];
  /** Over sidecars that are processes of their own. */
  readonly inProcesses: boolean;
  /** Whether the broker is started again meanwhile, for every run. */
  readonly restartsBroker: boolean;
}

const queriesMax = 3;
const killsMax = 3;
/** Points that one query has of a kind at a party, about. */
const nthMax = 5;
const backMsMax = 400;
const afterMsMax = 120;
const processAfterMsMax = 250;
const smallBytes = 2_000;
const largeBytes = 300 * 1_024;
const gaps: readonly Gap[] = ["taken", "invoked", "chunk", "published", "confirmed", "dropped", "acknowledged"];
const crashes: readonly Crash[] = ["before", "midway", "after"];
const parties = ["exchange", "UVA", "VU", "SURF"] as const;

export interface Frequencies {
  /** Runs between two restarts of the broker; 0: none. */
  readonly restartEvery: number;
  /** Runs between two over sidecars that are processes; 0: none. */
  readonly processesEvery: number;
}

export function planOf(seed: number, index: number, { restartEvery, processesEvery }: Frequencies): Run {
  const draw = createDraw(seed * 1_000_003 + index);
  const queries = Array.from({ length: 1 + draw.below(queriesMax) }, () => askedBy(draw));
  const inProcesses = isEach(processesEvery, index);
  const killed = inProcesses ? processKillBy : killBy;
  const kills = Array.from({ length: 1 + draw.below(killsMax) }, () => killed(draw));
  return { index, queries, kills, inProcesses, restartsBroker: isEach(restartEvery, index) };
}

function isEach(every: number, index: number): boolean {
  return every > 0 && index % every === every - 1;
}

function askedBy(draw: Draw): Asked {
  return {
    seed: draw.below(1_000_000),
    bytes: draw.chance(0.25) ? largeBytes + draw.below(largeBytes) : 1 + draw.below(smallBytes),
    answers: draw.chance(0.3) ? "table" : "digest",
    archetype: draw.chance(0.5) ? "dataThroughTtp" : "computeToData",
  };
}

/** No points: what a process has just done is not seen from outside. */
function processKillBy(draw: Draw): Kill {
  const party = draw.oneOf(parties);
  if (draw.chance(0.25)) {
    return { kind: "worker", party, nth: 1 + draw.below(nthMax), how: draw.oneOf(crashes) as Crash };
  }
  return { kind: "process", party, afterMs: draw.below(processAfterMsMax) };
}

function killBy(draw: Draw): Kill {
  const party = draw.oneOf(parties);
  const nth = 1 + draw.below(nthMax);
  const afterMs = draw.below(afterMsMax);
  const chosen = draw.below(100);
  if (chosen < 20) return { kind: "worker", party, nth, how: draw.oneOf(crashes) as Crash };
  if (chosen < 75) {
    return { kind: "sidecar", party, gap: draw.oneOf(gaps) as Gap, nth, backMs: draw.below(backMsMax) };
  }
  const whose = draw.chance(0.3) ? "asker" : party;
  if (chosen < 88) return { kind: "cut", party: whose, afterMs, downMs: draw.below(backMsMax) };
  if (chosen < 96) return { kind: "slow", party: whose, afterMs, byMs: 1 + draw.below(50) };
  return { kind: "half-open", party: whose, afterMs };
}
