/** How a query's one deadline is shared, so that who gives up first can still tell who waits longest. */
import type { Envelope } from "#contracts";
import { limits } from "./limits.ts";

/** When a gather gives up: the asker must hear of it before its own deadline. */
export function gatherDeadlineMs(deadlineMs: number, nowMs: number): number {
  return deadlineMs - reserveMs(deadlineMs, nowMs);
}

/** When an invocation is given up; of a chain that feeds a gather, before the gather gives up. */
export function invocationDeadlineMs(envelope: Envelope, nowMs: number): number {
  const reserve = reserveMs(envelope.deadlineMs, nowMs);
  return envelope.deadlineMs - (envelope.gather === undefined ? reserve : 2 * reserve);
}

/** Of a short rest only a tenth is kept. */
function reserveMs(deadlineMs: number, nowMs: number): number {
  return Math.max(0, Math.min(limits.deadlineReserveMs, Math.floor((deadlineMs - nowMs) / 10)));
}
