/** Both archetypes at once, rows among them: does one slow or change the other? */
import type { Options, Scenario } from "k6/options";
import { constantRate } from "./arrivals.ts";
import { ask, askReferences } from "./ask.ts";
import type { References } from "./judge.ts";
import { atHome, atThirdParty, unitedRows } from "./questions.ts";
import { duration, number } from "./settings.ts";

const perSecond = number("RATE", 0.5);
const p95Ms = number("P95_MS", 4_000);

function at(rate: number, exec: string): Scenario {
  return { ...constantRate(rate, duration("DURATION", "1m")), exec };
}

export const options: Options = {
  scenarios: {
    home: at(perSecond, "home"),
    third_party: at(perSecond, "thirdParty"),
    // Rows are rarer and heavier.
    rows: at(perSecond / 3, "rows"),
  },
  thresholds: {
    checks: ["rate==1"],
    query_wrong: ["count==0"],
    query_shed: ["rate==0"],
    "query_answered_ms{scenario:home}": [`p(95)<${p95Ms}`],
    "query_answered_ms{scenario:third_party}": [`p(95)<${p95Ms}`],
    "query_answered_ms{scenario:rows}": [`p(95)<${p95Ms * 2}`],
  },
};

export function setup(): References {
  return askReferences([atHome, atThirdParty, unitedRows]);
}

export function home(references: References): void {
  ask(atHome, { references });
}

export function thirdParty(references: References): void {
  ask(atThirdParty, { references });
}

export function rows(references: References): void {
  ask(unitedRows, { references });
}
