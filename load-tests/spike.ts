/** All come at once: is each answered or refused early, and is everything as before a little later? */
import type { Options } from "k6/options";
import { constantRate } from "./arrivals.ts";
import { ask, askReferences } from "./ask.ts";
import type { References } from "./judge.ts";
import { oneProvider } from "./questions.ts";
import { duration, number } from "./settings.ts";

const calmPerSecond = number("RATE", 1);
const crowdPerSecond = Math.ceil(calmPerSecond * number("TIMES", 50));
const crowdFor = duration("SPIKE", "5s");
const p95Ms = number("P95_MS", 20_000);

const calm = constantRate(calmPerSecond, duration("CALM", "20s"));

export const options: Options = {
  scenarios: {
    before: { ...calm, exec: "calmly" },
    crowd: {
      executor: "constant-arrival-rate",
      rate: crowdPerSecond,
      timeUnit: "1s",
      startTime: calm.duration,
      duration: crowdFor,
      preAllocatedVUs: crowdPerSecond,
      maxVUs: crowdPerSecond * 10,
      exec: "inTheCrowd",
    },
    after: { ...calm, startTime: duration("AFTER", "60s"), exec: "calmly" },
  },
  thresholds: {
    checks: ["rate==1"],
    query_wrong: ["count==0"],
    "query_answered_ms{scenario:crowd}": [`p(95)<${p95Ms}`],
    "query_shed{scenario:before}": ["rate==0"],
    "query_shed{scenario:after}": ["rate==0"],
  },
};

export function setup(): References {
  return askReferences([oneProvider]);
}

export function calmly(references: References): void {
  ask(oneProvider, { references });
}

export function inTheCrowd(references: References): void {
  ask(oneProvider, { references });
}
