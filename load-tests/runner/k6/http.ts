/** Stand-in of `k6/http`: requests wait for their answer, and leave the samples that k6 leaves. */
import type { HttpAnswer } from "../messages.ts";
import { requestSync, runningOf, sample } from "./bridge.ts";
import { jsonAt } from "./json-path.ts";

type Expected = (status: number) => boolean;

interface Params {
  readonly headers?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  /** Milliseconds, or `10s`. */
  readonly timeout?: number | string;
  readonly responseType?: "text" | "none" | "binary";
  readonly responseCallback?: Expected | null;
}

const timeoutMsDefault = 60_000;
let expected: Expected | null = expectedStatuses({ min: 200, max: 399 });

function expectedStatuses(...wanted: (number | { min: number; max: number })[]): Expected {
  return (status) =>
    wanted.some((one) => (typeof one === "number" ? one === status : one.min <= status && status <= one.max));
}

function setResponseCallback(callback: Expected | null): void {
  expected = callback;
}

function request(method: string, url: string, body: unknown = null, params: Params = {}) {
  runningOf("http.request");
  if (params.responseType === "binary") throw new Error("the runner has no binary bodies: use k6");
  if (body !== null && body !== undefined && typeof body !== "string") {
    throw new Error("the runner sends text only: use JSON.stringify, or k6");
  }
  const answer = requestSync({
    method: method.toUpperCase(),
    url,
    body: body ?? null,
    headers: params.headers ?? {},
    timeoutMs: timeoutOf(params.timeout),
  });
  leaveSamples(method, url, answer, params);
  return responseOf(url, answer, params);
}

function leaveSamples(method: string, url: string, answer: HttpAnswer, { tags = {}, responseCallback }: Params): void {
  const callback = responseCallback === undefined ? expected : responseCallback;
  const isExpected = callback === null || callback(answer.status);
  const all = {
    method: method.toUpperCase(),
    name: url,
    status: String(answer.status),
    expected_response: String(isExpected),
    ...tags,
  };
  sample("http_reqs", 1, all);
  sample("http_req_duration", answer.durationMs, all);
  sample("http_req_waiting", answer.waitingMs, all);
  if (callback !== null) sample("http_req_failed", isExpected ? 0 : 1, all);
}

function responseOf(url: string, { status, headers, body, durationMs, waitingMs, error }: HttpAnswer, params: Params) {
  return {
    url,
    status,
    headers,
    error,
    body: params.responseType === "none" || status === 0 ? null : body,
    timings: { duration: durationMs, waiting: waitingMs },
    json: (path?: string) => jsonAt(body, path),
  };
}

function timeoutOf(timeout: number | string = timeoutMsDefault): number {
  const ms = typeof timeout === "number" ? timeout : Number.parseFloat(timeout) * (timeout.endsWith("ms") ? 1 : 1_000);
  if (!(ms > 0)) throw new Error(`timeout ${timeout}: must be milliseconds or a duration in seconds`);
  return ms;
}

const get = (url: string, params?: Params) => request("GET", url, null, params);
const post = (url: string, body?: unknown, params?: Params) => request("POST", url, body, params);
const put = (url: string, body?: unknown, params?: Params) => request("PUT", url, body, params);
const del = (url: string, body?: unknown, params?: Params) => request("DELETE", url, body, params);

export { del, expectedStatuses, get, post, put, request, setResponseCallback };
export default { del, expectedStatuses, get, post, put, request, setResponseCallback };
