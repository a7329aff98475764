/** Whether and when a failed hop is tried again. The code decides, and what is left of the deadline. */
import type { ErrorCode } from "#contracts";
import { rowOf } from "#errors";
import { limits } from "./limits.ts";

export interface RetryQuestion {
  readonly code: ErrorCode;
  /** How often it was tried again already. */
  readonly tries: number;
  readonly nowMs: number;
  readonly deadlineMs: number;
  /** From 0 to 1, by chance: spreads callers that failed together. */
  readonly jitter: number;
}

/** @returns milliseconds to wait before the next try, or undefined: this was the last */
export function retryAfterMs({ code, tries, nowMs, deadlineMs, jitter }: RetryQuestion): number | undefined {
  if (rowOf(code).delivery !== "retry" || tries >= limits.triesMax) {
    return undefined;
  }
  const ceiling = Math.min(limits.retryLongestMs, limits.retryFirstMs * 2 ** tries);
  const wait = Math.round(ceiling * (0.5 + jitter / 2));
  return nowMs + wait + limits.deadlineReserveMs < deadlineMs ? wait : undefined;
}
