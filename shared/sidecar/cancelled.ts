/** Queries that nobody waits for any more, or of which an attempt was given up. */
import type { Envelope } from "#contracts";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import { Remembered } from "./remembered.ts";

type Attempt = Pick<Envelope, "queryId" | "attempt">;

export interface Cancelled {
  /** What ends a hop of it, when it is not wanted any more. */
  errorOf(envelope: Attempt): DynamosError | undefined;
  /** @param upToAttempt this attempt and those before it; 0: all, also such as may come */
  cancel(queryId: string, upToAttempt: number): void;
}

export function createCancelled(clock: Clock): Cancelled {
  const cancelled = new Remembered<number>(clock);

  return {
    errorOf: ({ queryId, attempt }) => {
      const upTo = cancelled.get(queryId);
      if (upTo === undefined || attempt > upTo) return undefined;
      const message =
        upTo === Number.POSITIVE_INFINITY ? "the query was cancelled" : "the query was planned again after a change";
      return new DynamosError(ErrorCode.CANCELLED, message);
    },
    cancel: (queryId, upToAttempt) => {
      const upTo = upToAttempt === 0 ? Number.POSITIVE_INFINITY : upToAttempt;
      cancelled.set(queryId, Math.max(upTo, cancelled.get(queryId) ?? 0));
    },
  };
}
