/** Asks one question, and judges the answer: a fast wrong one is not counted as fast. */
import { check } from "k6";
import http, { type RefinedResponse } from "k6/http";
import { Counter, Rate, Trend } from "k6/metrics";
import { answerOf, problemOf, type References, wrongness } from "./judge.ts";
import type { Question } from "./questions.ts";
import { api, researcherToken } from "./settings.ts";

/** Of answered queries, from sending to the last byte. */
const answeredMs = new Trend("query_answered_ms", true);
/** How many of all were refused early, with 503 and Retry-After. */
const shed = new Rate("query_shed");
/** Answers that are neither right nor a clear refusal. */
const wrong = new Counter("query_wrong");
const right = new Counter("query_right");

export type Asked = "right" | "shed" | "wrong";

export interface Asking {
  /** What each question was answered when nothing else ran; absent: what is there is not compared. */
  readonly references?: References;
  /** Providers whose refusal is right too, while their steward changes his mind. */
  readonly mayRefuse?: readonly string[];
  readonly tags?: Record<string, string>;
}

// Shed is not failed: `http_req_failed` counts what is neither.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 299 }, 403, 503));

/** Every query leaves its mark in one of the three metrics. */
export function ask(question: Question, { references, mayRefuse = [], tags = {} }: Asking = {}): Asked {
  const response = post(question, tags);
  if (response.status === 503) {
    const isClear = check(response, { "a shed query says when to come back": (r) => Number(retryAfter(r)) > 0 }, tags);
    shed.add(isClear, tags);
    if (!isClear) wrong.add(1, tags);
    return isClear ? "shed" : "wrong";
  }
  shed.add(false, tags);
  const fault = wrongness(question, response.status, answerOf(response.body, response.headers), {
    references,
    mayRefuse,
  });
  check(response, { "the answer is right": () => fault === undefined }, tags);
  if (fault === undefined) {
    answeredMs.add(response.timings.duration, tags);
    right.add(1, tags);
    return "right";
  }
  wrong.add(1, tags);
  // biome-ignore lint/suspicious/noConsole: what k6 shows while it runs
  console.error(`${question.name}: ${fault} ${problemOf(response.body)}`);
  return "wrong";
}

/** For setup(): what each question is answered when nothing else runs. @throws Error where that is not an answer */
export function askReferences(questions: readonly Question[]): References {
  const references: Record<string, Record<string, string>> = {};
  for (const question of questions) {
    const response = post(question, {});
    const answer = answerOf(response.body, response.headers);
    const fault = wrongness(question, response.status, answer, {});
    if (fault !== undefined) throw new Error(`before the load, ${question.name}: ${fault} ${problemOf(response.body)}`);
    references[question.name] = answer.results;
  }
  return references;
}

function post({ name, body }: Question, tags: Record<string, string>): RefinedResponse<"text"> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${researcherToken()}` };
  // One name for all, as k6 makes time series by it.
  const params = { headers, tags: { ...tags, name: "POST queries", question: name }, responseType: "text" as const };
  return http.post(`${api}/queries`, JSON.stringify(body), params);
}

function retryAfter({ headers }: RefinedResponse<"text">): string | undefined {
  return headers["Retry-After"];
}
