/** What the runner and the threads of its virtual users say to each other. */
import type { MessagePort } from "node:worker_threads";

export interface UserData {
  readonly id: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: Int32Array;
  readonly answers: MessagePort;
}

export interface Iteration {
  /** Name of the function of the script. */
  readonly exec: string;
  /** What setup() gave back. */
  readonly data: unknown;
  readonly scenario: {
    readonly name: string;
    readonly executor: string;
    readonly startTimeMs: number;
    /** From 0 to 1. */
    readonly progress: number;
    readonly iterationInTest: number;
  };
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly body: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  /** 0: there was none. */
  readonly status: number;
  /** In the writing of Go's HTTP library, as k6 has them: `Retry-After`, `Etag`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly durationMs: number;
  /** To the first byte of the answer. */
  readonly waitingMs: number;
  /** Why there is no answer, else empty. */
  readonly error: string;
}

export type FromUser =
  | { readonly kind: "ready"; readonly options: unknown; readonly exports: readonly string[] }
  | { readonly kind: "metric"; readonly name: string; readonly type: MetricType; readonly isTime: boolean }
  | {
      readonly kind: "sample";
      readonly metric: string;
      readonly value: number;
      readonly atMs: number;
      readonly tags: Readonly<Record<string, string>>;
    }
  | { readonly kind: "http"; readonly request: HttpRequest }
  | { readonly kind: "log"; readonly level: string; readonly text: string }
  | { readonly kind: "done"; readonly result: unknown; readonly error?: string };

export type MetricType = "counter" | "gauge" | "rate" | "trend";
