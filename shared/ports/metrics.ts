/** What a sidecar does, in numbers for operators. Never an id of a query or user: each label has few values. */
import type { Disposition } from "./broker.ts";

export interface Metrics {
  /** A delivery reached its handler. `step`: the queue without its party, e.g. `sql-query`, `gather`, `reply`. */
  taken(step: string): void;
  /** What became of it. `code`: of the reason, e.g. `WORKER_CRASHED`; empty where there is none. */
  settled(end: { step: string; how: Disposition["kind"]; code: string; seconds: number }): void;
  /** `code` is empty when the broker confirmed. */
  published(end: { type: string; code: string; seconds: number }): void;
  /** `code` is empty when there was an outcome, whatever it says. */
  invoked(end: { function: string; code: string; seconds: number }): void;
  /** The broker's connection changed to this. */
  broker(status: string): void;
  /** Reads what is so at the moment of asking. @returns the way to stop it */
  watch(read: () => Promise<Readings>): () => void;
}

export interface Readings {
  readonly openRequests: number;
  readonly openGathers: number;
  readonly brokerConnected: boolean;
  readonly queues: readonly { readonly name: string; readonly ready: number; readonly consumers: number }[];
}
