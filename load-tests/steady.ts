/** At a steady rate that it should bear: is every query answered rightly, and how fast? */
import type { Options } from "k6/options";
import { ask, askReferences } from "./ask.ts";
import type { References } from "./judge.ts";
import { atHome } from "./questions.ts";
import { duration, number } from "./settings.ts";

const perSecond = number("RATE", 1);

export const options: Options = {
  scenarios: {
    steady: {
      // Open: a query comes when it comes, whether or not the last one was answered.
      executor: "constant-arrival-rate",
      rate: Math.round(perSecond * 60),
      timeUnit: "1m",
      duration: duration("DURATION", "1m"),
      preAllocatedVUs: Math.ceil(perSecond * 5),
      maxVUs: Math.ceil(perSecond * 40),
    },
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
