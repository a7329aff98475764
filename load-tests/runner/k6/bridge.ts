/** What the stand-ins of the k6 modules share: who this virtual user is, and its way to the runner. */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { FromUser, HttpAnswer, HttpRequest, Iteration } from "../messages.ts";

export interface Bridge {
  readonly id: number;
  post(message: FromUser): void;
  /** For the next message of `answers`. */
  readonly signal: Int32Array;
  readonly answers: MessagePort;
}

/** Of the iteration that runs; undefined in the init context. */
export interface Running extends Iteration {
  readonly groups: readonly string[];
}

let bridge: Bridge | undefined;
let running: Running | undefined;

export function openBridge(opened: Bridge): void {
  bridge = opened;
}

export function setRunning(iteration: Running | undefined): void {
  running = iteration;
}

export function runningOf(what: string): Running {
  if (running === undefined) throw new Error(`${what} is for functions that run, not for the init context`);
  return running;
}

export function bridgeOf(): Bridge {
  if (bridge === undefined) throw new Error("this is for the virtual users of the runner");
  return bridge;
}

/** Tags that every sample has, as k6 gives them. */
export function systemTags(): Record<string, string> {
  const group = running?.groups.map((name) => `::${name}`).join("") ?? "";
  return { ...(running && { scenario: running.scenario.name }), group };
}

export function sample(metric: string, value: number, tags: Readonly<Record<string, string>> = {}): void {
  bridgeOf().post({ kind: "sample", metric, value, atMs: Date.now(), tags: { ...systemTags(), ...tags } });
}

/** A k6 script waits for its answer; so does this thread, while the runner's own asks. */
export function requestSync(request: HttpRequest): HttpAnswer {
  const { post, signal, answers } = bridgeOf();
  Atomics.store(signal, 0, 0);
  post({ kind: "http", request });
  Atomics.wait(signal, 0, 0);
  const received = receiveMessageOnPort(answers) as { message: HttpAnswer } | undefined;
  if (received === undefined) throw new Error("the runner woke this virtual user without an answer");
  return received.message;
}
