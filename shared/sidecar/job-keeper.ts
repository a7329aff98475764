/** Keeps jobs in step with what is agreed and with time: the exchange's sidecar does it for all. */
import { ErrorCode } from "#contracts";
import { queryOfJob } from "#contracts/documents";
import type { JobJson } from "#contracts/json-documents";
import { jobNow, reviewed } from "#domain/job";
import { keys } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { hasCode, toDynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Knowledge } from "#ports/knowledge";
import type { Log } from "#ports/log";
import { decides, type KnowledgeCache } from "./knowledge-cache.ts";

export interface JobKeeperOptions {
  readonly knowledge: Knowledge;
  readonly cache: KnowledgeCache;
  readonly clock: Clock;
  readonly log: Log;
}

/** @returns to stop it */
export function keepJobs({ knowledge, cache, clock, log }: JobKeeperOptions): () => void {
  let stopTimer = () => {};

  function reviewAll(): void {
    for (const key of cache.jobs().keys()) reviewOne(key);
  }

  function reviewOne(key: string): void {
    const found = cache.jobs().get(key);
    if (found === undefined) return;
    const { job, revision } = found;
    const nowMs = clock.now();
    const put = (next: JobJson) => knowledge.put(key, JSON.stringify(next), { ifRevision: revision });
    if (job.ended !== undefined) {
      const isOld = nowMs > job.ended.atMs + limits.endedJobMs;
      if (isOld) void attempt(() => knowledge.delete(key, { ifRevision: revision }));
      return;
    }
    const next = jobNow(review(job, nowMs), nowMs);
    if (next === job) return;
    const { ended, withdrawn } = next;
    log.log("info", "a job has changed", { job: job.id, ended: ended?.cause ?? "", withdrawn: withdrawn.length });
    void attempt(() => put(next));
  }

  function review(job: JobJson, nowMs: number): JobJson {
    const { query } = queryOfJob(job);
    return reviewed(job, query, cache.about(job.providers, job.user.name), nowMs);
  }

  /** Who else has written it meanwhile has seen the same, and this one sees what was written. */
  async function attempt(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (hasCode(error, ErrorCode.REVISION_CONFLICT)) return;
      log.log("warn", "a job could not be written", { reason: toDynamosError(error).message });
    }
  }

  function sweep(): void {
    reviewAll();
    stopTimer = clock.after(limits.jobSweepMs, sweep);
  }

  const stopListening = cache.onChange((key) => {
    if (decides(key)) reviewAll();
    else if (key.startsWith(keys.jobs)) reviewOne(key);
  });
  sweep();
  return () => {
    stopListening();
    stopTimer();
  };
}
