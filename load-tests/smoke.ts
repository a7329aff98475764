/** Does everything work at all? Each question twice, one after the other, and the clear errors. Seconds. */
import { check, group } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import type { Options } from "k6/options";
import { ask, askReferences } from "./ask.ts";
import type { References } from "./judge.ts";
import { problemOf } from "./judge.ts";
import { questions } from "./questions.ts";
import { api, researcherToken } from "./settings.ts";

export const options: Options = {
  scenarios: {
    questions: { executor: "shared-iterations", vus: 1, iterations: questions.length, maxDuration: "2m" },
    errors: { executor: "shared-iterations", vus: 1, iterations: 1, exec: "errors", maxDuration: "1m" },
  },
  thresholds: {
    checks: ["rate==1"],
    query_wrong: ["count==0"],
    query_right: [`count==${questions.length}`],
  },
};

export function setup(): References {
  return askReferences(questions);
}

/** Asked again, the answer is the same. */
export default function (references: References): void {
  const question = questions[exec.scenario.iterationInTest];
  if (question !== undefined) ask(question, { references });
}

/** What is wrong with a request is said, and what may not be done is refused. */
export function errors(): void {
  const json = { "content-type": "application/json" };
  const bearer = { ...json, authorization: `Bearer ${researcherToken()}` };
  const callback = http.expectedStatuses(400, 401);
  group("errors", () => {
    const nobody = http.post(`${api}/queries`, "{}", { headers: json, responseCallback: callback });
    check(nobody, { "without a token: 401": ({ status }) => status === 401 });
    const empty = http.post(`${api}/queries`, "{}", { headers: bearer, responseCallback: callback });
    check(empty, {
      "an empty query: 400": ({ status }) => status === 400,
      "and it is said what is missing": ({ body }) => problemOf(body).includes("providers"),
    });
    const parties = http.get(`${api}/parties`, { headers: bearer });
    check(parties, {
      "who takes part and is online": (r) =>
        r.status === 200 && r.json("#.online")?.toString().includes("true") === true,
    });
  });
}
