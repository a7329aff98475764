/** At a steady rate that it should bear: is every query answered rightly, and how fast? */
import type { Options } from "k6/options";
import { constantRate } from "./arrivals.ts";
import { ask, askReferences } from "./ask.ts";
import type { References } from "./judge.ts";
import { atHome } from "./questions.ts";
import { duration, number } from "./settings.ts";

const perSecond = number("RATE", 1);

export const options: Options = {
  scenarios: {
    steady: constantRate(perSecond, duration("DURATION", "1m")),
  },
  thresholds: {
    checks: ["rate==1"],
    query_wrong: ["count==0"],
    query_shed: ["rate==0"],
    dropped_iterations: ["count==0"],
    query_answered_ms: [`p(95)<${number("P95_MS", 2_000)}`],
  },
};

export function setup(): References {
  return askReferences([atHome]);
}

export default function (references: References): void {
  ask(atHome, { references });
}
