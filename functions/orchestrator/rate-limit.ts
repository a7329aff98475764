/** So many requests a minute for each subject, with a burst of as many: one who asks too often slows nobody else. */
import { limits } from "#domain/limits";

export interface RateLimit {
  /** Takes one. @returns undefined, or the seconds after which there is one again */
  take(subject: string): number | undefined;
}

interface Bucket {
  left: number;
  filledAtMs: number;
}

export interface RateOptions {
  readonly perMinute: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly subjectsMax?: number;
}

export function createRateLimit({ perMinute, now, subjectsMax = limits.rateSubjectsMax }: RateOptions): RateLimit {
  const perMs = perMinute / 60_000;
  /** Least recently seen first: that one is forgotten when there are too many, and has a full bucket when it is back. */
  const buckets = new Map<string, Bucket>();

  function bucketOf(subject: string): Bucket {
    const nowMs = now();
    const known = buckets.get(subject);
    if (known === undefined) return { left: perMinute, filledAtMs: nowMs };
    return { left: Math.min(perMinute, known.left + (nowMs - known.filledAtMs) * perMs), filledAtMs: nowMs };
  }

  return {
    take: (subject) => {
      const bucket = bucketOf(subject);
      const isGiven = bucket.left >= 1;
      if (isGiven) bucket.left -= 1;
      buckets.delete(subject);
      buckets.set(subject, bucket);
      const [oldest] = buckets.keys();
      if (buckets.size > subjectsMax && oldest !== undefined) buckets.delete(oldest);
      return isGiven ? undefined : Math.max(1, Math.ceil((1 - bucket.left) / perMs / 1_000));
    },
  };
}
