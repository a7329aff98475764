/**
 * A steward changes his mind again and again while others ask: does each change hold from the answer of its PUT on,
 * and is every answer right under what was agreed then? Changes an agreement, and puts it back as it was.
 */
import { check, sleep } from "k6";
import http, { type RefinedResponse } from "k6/http";
import { Counter, Trend } from "k6/metrics";
import type { Options } from "k6/options";
import { constantRate } from "./arrivals.ts";
import { ask, askReferences } from "./ask.ts";
import { answerOf, type References } from "./judge.ts";
import { atHome } from "./questions.ts";
import { api, duration, number, researcherToken, stewardToken } from "./settings.ts";

const party = __ENV.STEWARD_PARTY || "UVA";
const perSecond = number("RATE", 1);
const changes = number("CHANGES", 20);

/** From sending a change to its answer, which waits for the sidecars. */
const changeMs = new Trend("agreement_change_ms", true);
const heldBack = new Counter("change_held");

export const options: Options = {
  scenarios: {
    asking: constantRate(perSecond, duration("DURATION", "1m")),
    steward: { executor: "per-vu-iterations", vus: 1, iterations: changes, maxDuration: "30m", exec: "change" },
  },
  thresholds: {
    checks: ["rate==1"],
    query_wrong: ["count==0"],
    change_held: [`count==${changes}`],
    agreement_change_ms: [`p(95)<${number("CHANGE_MS", 2_000)}`],
  },
};

export interface Before {
  readonly references: References;
  /** The agreement's text, as it was. */
  readonly agreement: string;
}

export function setup(): Before {
  const references = askReferences([atHome]);
  const { status, body } = read();
  if (status !== 200 || body === null) throw new Error(`the agreement of ${party}: status ${status}`);
  return { references, agreement: body };
}

/** While it changes, both are right: with the party's result, or with its refusal. */
export default function ({ references }: Before): void {
  ask(atHome, { references, mayRefuse: [party] });
}

export function change({ references, agreement }: Before): void {
  const { relations: _, ...others } = JSON.parse(agreement) as { relations: unknown };
  put(JSON.stringify({ ...others, relations: {} }));
  const refused = answerOf(askPlainly()).refused[party];
  if (check(refused, { "from the answer of its PUT on, the party is out": (code) => code === "DENIED" })) {
    heldBack.add(1);
  }
  put(agreement);
  check(ask(atHome, { references }), { "and in again after the next": (asked) => asked === "right" });
  sleep(Math.random() * number("PAUSE", 1));
}

export function teardown({ agreement }: Before): void {
  put(agreement);
}

function askPlainly(): string {
  const headers = { "content-type": "application/json", authorization: `Bearer ${researcherToken()}` };
  const params = { headers, tags: { name: "POST queries" }, responseType: "text" as const };
  return http.post(`${api}/queries`, JSON.stringify(atHome.body), params).body ?? "";
}

function read(): RefinedResponse<"text"> {
  const headers = { authorization: `Bearer ${stewardToken()}` };
  return http.get(`${api}/agreements/${party}`, { headers, responseType: "text", tags: { name: "GET agreement" } });
}

/** Over the revision that is there. */
function put(agreement: string): void {
  const { headers } = read();
  const response = http.put(`${api}/agreements/${party}`, agreement, {
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${stewardToken()}`,
      "if-match": headers.Etag ?? headers.ETag ?? "",
    },
    tags: { name: "PUT agreement" },
  });
  check(response, { "the change is taken": ({ status }) => status === 200 });
  changeMs.add(response.timings.duration);
}
