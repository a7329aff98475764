/** For hours: is it as fast and as right at the end as at the beginning? */
import exec from "k6/execution";
import type { Options } from "k6/options";
import { constantRate } from "./arrivals.ts";
import { ask, askReferences } from "./ask.ts";
import type { References } from "./judge.ts";
import { questions } from "./questions.ts";
import { duration, number } from "./settings.ts";

const perSecond = number("RATE", 0.5);
const p95Ms = number("P95_MS", 3_000);

export const options: Options = {
  scenarios: {
    soak: constantRate(perSecond, duration("DURATION", "2h")),
  },
  thresholds: {
    checks: ["rate==1"],
    query_wrong: ["count==0"],
    query_shed: ["rate==0"],
    "query_answered_ms{part:first}": [`p(95)<${p95Ms}`],
    "query_answered_ms{part:last}": [`p(95)<${p95Ms}`],
  },
};

export function setup(): References {
  return askReferences(questions);
}

export default function (references: References): void {
  const { iterationInTest, progress } = exec.scenario;
  const question = questions[iterationInTest % questions.length];
  const part = progress < 0.25 ? "first" : progress > 0.75 ? "last" : "middle";
  if (question !== undefined) ask(question, { references, tags: { part } });
}
