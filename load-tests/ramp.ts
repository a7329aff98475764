/** Where is it full, and does it stay right there? More and more queries, until most are refused early. */
import type { Options } from "k6/options";
import { ask, askReferences } from "./ask.ts";
import type { References } from "./judge.ts";
import { oneProvider } from "./questions.ts";
import { duration, number } from "./settings.ts";

const peakPerSecond = number("PEAK", 20);

export const options: Options = {
  scenarios: {
    ramp: {
      executor: "ramping-arrival-rate",
      startRate: 1,
      timeUnit: "1s",
      stages: [
        { target: Math.ceil(peakPerSecond), duration: duration("RAMP", "2m") },
        { target: Math.ceil(peakPerSecond), duration: duration("HOLD", "30s") },
      ],
      preAllocatedVUs: Math.ceil(peakPerSecond * 5),
      maxVUs: Math.ceil(peakPerSecond * 40),
    },
  },
  thresholds: {
    checks: ["rate==1"],
    query_wrong: ["count==0"],
    // Who is let in is answered within the bound, however many are not.
    query_answered_ms: [`p(95)<${number("P95_MS", 20_000)}`],
  },
};

export function setup(): References {
  return askReferences([oneProvider]);
}

export default function (references: References): void {
  ask(oneProvider, { references });
}
