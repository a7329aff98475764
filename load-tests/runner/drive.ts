/** Real load on a machine without k6: autocannon asks the same questions, and every answer is judged alike. */
import autocannon from "autocannon";
import { textTable } from "../../cli/print/text-table.ts";
import { answerOf, type References, wrongness } from "../judge.ts";
import { oneProvider, type Question } from "../questions.ts";

export interface DriveOptions {
  readonly GATEWAY?: string;
  readonly TOKEN?: string;
  readonly connections: number;
  /** How long it asks. Or so many requests in all, and each is waited for. */
  readonly until: { readonly seconds: number } | { readonly requests: number };
  /** Absent: the smallest, which fills the system with queries rather than with rows. */
  readonly asked?: readonly Question[];
}

export interface Driven {
  readonly right: number;
  /** 503 or 429 with Retry-After and a problem document that says so. */
  readonly shed: number;
  /** Cut, or not answered in time. */
  readonly unanswered: number;
  readonly wrong: number;
  readonly firstWrong: string | undefined;
  readonly seconds: number;
  /** Milliseconds, of all that were answered at all. */
  readonly latency: { readonly p50: number; readonly p97_5: number; readonly p99: number; readonly max: number };
}

/** Closed: each connection asks again as soon as it was answered. */
export async function drive(options: DriveOptions): Promise<Driven> {
  const { GATEWAY: gateway = "", TOKEN: token = "", connections, until, asked = [oneProvider] } = options;
  const url = `${gateway}/function/orchestrator/v1/queries`;
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const references = await ask(url, headers, asked);
  const counts = { right: 0, shed: 0, wrong: 0 };
  let firstWrong: string | undefined;

  function judgeOne(question: Question, status: number, body: string, answer: { readonly headers: object }): void {
    if (isSentAway(status, body, lowerCase(answer.headers))) {
      counts.shed += 1;
      return;
    }
    const fault = wrongness(question, status, answerOf(body, answer.headers), { references });
    counts[fault === undefined ? "right" : "wrong"] += 1;
    if (fault !== undefined) firstWrong ??= `${question.name}: ${fault}`;
  }

  const { latency, duration, errors } = await autocannon({
    url,
    connections,
    ...("seconds" in until ? { duration: until.seconds } : { amount: until.requests }),
    timeout: 130,
    requests: asked.map((question) => ({
      method: "POST",
      headers,
      body: JSON.stringify(question.body),
      onResponse: (status, body, _context, received) =>
        judgeOne(question, status, body, { headers: (received ?? {}) as object }),
    })),
  });
  const { p50, p97_5, p99, max } = latency;
  return { ...counts, unanswered: errors, firstWrong, seconds: duration, latency: { p50, p97_5, p99, max } };
}

/** @throws Error where a question is not answered rightly before the load */
async function ask(url: string, headers: Record<string, string>, asked: readonly Question[]): Promise<References> {
  const references: Record<string, Record<string, string>> = {};
  for (const question of asked) {
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(question.body) });
    const answer = answerOf(await response.text(), Object.fromEntries(response.headers));
    const fault = wrongness(question, response.status, answer, {});
    if (fault !== undefined) throw new Error(`before the load, ${question.name}: ${fault}`);
    references[question.name] = answer.results;
  }
  return references;
}

/** Early and in so many words: what is wrong, and when to come back. */
function isSentAway(status: number, body: string, headers: Record<string, unknown>): boolean {
  const codes: Readonly<Record<number, string>> = { 429: "RATE_LIMITED", 503: "OVERLOADED" };
  return /^[1-9]\d*$/.test(String(headers["retry-after"])) && codes[status] === answerOf(body).code;
}

function lowerCase(headers: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

export function driveText({ right, shed, wrong, firstWrong, seconds, latency }: Driven): string {
  const perSecond = (count: number) => Math.round((count / seconds) * 10) / 10;
  const table = textTable({
    columns: ["right", "shed", "wrong", "right/s", "p50 ms", "p97.5 ms", "p99 ms", "max ms"].map((name) => ({
      name,
      type: "double",
    })),
    rows: [[right, shed, wrong, perSecond(right), latency.p50, latency.p97_5, latency.p99, latency.max]],
  });
  return firstWrong === undefined ? table : `${table}\nfirst wrong one: ${firstWrong}`;
}
