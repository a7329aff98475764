/** A request that was approved once and is used for several queries: what changes, use and time make of it. Pure. */
import type { Knowledge, Query } from "#contracts";
import type { JobJson } from "#contracts/json-documents";
import { evaluateAgain } from "./policy.ts";

/** Where it stands now: its lease may have run out, and nobody may have written that yet. */
export function jobNow(job: JobJson, nowMs: number): JobJson {
  if (job.ended !== undefined || nowMs < job.expiresAtMs) return job;
  const message = `no query for ${job.leaseMs} ms`;
  return { ...job, ended: { atMs: job.expiresAtMs, cause: "expired", message } };
}

export function renewed(job: JobJson, nowMs: number): JobJson {
  return { ...job, expiresAtMs: nowMs + job.leaseMs };
}

export function deleted(job: JobJson, nowMs: number): JobJson {
  return { ...job, ended: { atMs: nowMs, cause: "deleted", message: "its owner ended it" } };
}

/**
 * Who does not allow it any more is out of it for good; when nobody is left, it ends.
 *
 * @param query the job's request, of its user
 * @param knowledge of every provider of the job
 * @returns the same object when nothing changed
 */
export function reviewed(job: JobJson, query: Query, knowledge: Knowledge, nowMs: number): JobJson {
  if (job.ended !== undefined) return job;
  const withdrawn = job.providers.flatMap((provider) => {
    const { decision } = evaluateAgain(query, provider, knowledge, nowMs);
    if (decision?.$case === "terms") return [];
    const message = decision?.value.reasons[0]?.message ?? `${provider} does not allow this any more`;
    return [{ provider, message, atMs: nowMs }];
  });
  if (withdrawn.length === 0) return job;
  const providers = job.providers.filter((provider) => !withdrawn.some((one) => one.provider === provider));
  const next: JobJson = { ...job, providers, withdrawn: [...job.withdrawn, ...withdrawn] };
  if (providers.length > 0) return next;
  const message = withdrawn.map((one) => one.message).join("; ");
  return { ...next, ended: { atMs: nowMs, cause: "revoked", message } };
}
