/**
 * Whether one more query could be answered before its deadline. Judged by how fast queries have ended
 * while many were running: how long a single one takes says little of how many fit beside it.
 */
import { limits } from "#domain/limits";

export interface Refused {
  readonly message: string;
  readonly retryAfterS: number;
}

export interface Admission {
  /** @returns why the query is not taken now, or undefined: then `ended` follows */
  start(nowMs: number, timeoutMs: number): Refused | undefined;
  /** Before it is known what it asks. @returns why no query is taken, however long it would wait */
  refuses(nowMs: number): Refused | undefined;
  /** @param inTime whether it came to its end, and not only to its deadline or a cancel */
  ended(nowMs: number, inTime: boolean): void;
}

/** Ends that are remembered; the pace is the mean over them. */
const endsKept = 64;
/** Fewer say nothing. */
const endsNeeded = 8;

/** @param runningMax queries at once, whatever the pace */
export function createAdmission(runningMax: number): Admission {
  let running = 0;
  /** From end to end while at least `runningQueriesFree` were running; latest last. */
  const gaps: { readonly ms: number; readonly inTime: boolean }[] = [];
  let busySinceMs: number | undefined;

  /**
   * Mean milliseconds from one that ended in time to the next; undefined when not known. The time of
   * those that did not counts too, and so does a standstill while it goes on.
   */
  function paceMs(nowMs: number): number | undefined {
    if (gaps.length < endsNeeded) return undefined;
    const passedMs = gaps.reduce((sum, { ms }) => sum + ms, nowMs - (busySinceMs ?? nowMs));
    return passedMs / Math.max(1, gaps.filter(({ inTime }) => inTime).length);
  }

  function refusal(nowMs: number, timeoutMs: number): Refused | undefined {
    if (running >= runningMax) return { message: full(running), retryAfterS: retryAfterS(paceMs(nowMs) ?? 0) };
    if (running < limits.runningQueriesFree) return undefined;
    const pace = paceMs(nowMs);
    if (pace === undefined) {
      return running < limits.runningQueriesUnmeasured ? undefined : { message: full(running), retryAfterS: 1 };
    }
    const waitMs = pace * (running + 1);
    const roomMs = timeoutMs * limits.admittedWaitShare;
    if (waitMs <= roomMs) return undefined;
    return {
      message: `${running} queries are running, one more would take about ${Math.ceil(waitMs / 1_000)} s of its ${Math.ceil(timeoutMs / 1_000)} s`,
      retryAfterS: retryAfterS(waitMs - roomMs),
    };
  }

  return {
    start: (nowMs, timeoutMs) => {
      const refused = refusal(nowMs, timeoutMs);
      if (refused !== undefined) return refused;
      running += 1;
      if (running === limits.runningQueriesFree) busySinceMs = nowMs;
      return undefined;
    },
    refuses: (nowMs) => refusal(nowMs, limits.queryTimeoutMsMax),
    ended: (nowMs, inTime) => {
      if (busySinceMs !== undefined) {
        gaps.push({ ms: nowMs - busySinceMs, inTime });
        if (gaps.length > endsKept) gaps.shift();
      }
      running -= 1;
      busySinceMs = running >= limits.runningQueriesFree ? nowMs : undefined;
    },
  };
}

function full(running: number): string {
  return `${running} queries are running, come back in a moment`;
}

function retryAfterS(ms: number): number {
  return Math.min(limits.retryAfterSMax, Math.max(1, Math.ceil(ms / 1_000)));
}
