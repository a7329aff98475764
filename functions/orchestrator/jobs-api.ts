/** `/v1/jobs`: a request that is approved once and used for several queries, until nobody uses it or nobody allows it. */
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { ErrorCode, type Query } from "#contracts";
import { jobFromJson, queryOfJob } from "#contracts/documents";
import type { JobJson } from "#contracts/json-documents";
import { explain } from "#domain/explain/explain";
import { deleted, jobNow, renewed } from "#domain/job";
import { jobKey, keys } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { unusedBy } from "#domain/policy";
import { DynamosError, hasCode } from "#errors";
import type { SidecarApi } from "#sidecar/client";
import type { BodyReader } from "./body-reader.ts";
import { askedBy, type CallerEnv } from "./caller.ts";
import { jobQuery, jobRequest, withOptionsOf } from "./job-request.ts";
import { choiceJson, planJson, verdictJson } from "./plan-json.ts";
import { policySnapshots } from "./policy-snapshot.ts";
import { problemResponse, reasonJson, refusalProblem } from "./problem.ts";
import type { QueriesApi } from "./queries-api.ts";

interface Found {
  readonly job: JobJson;
  readonly revision: number;
}

export function jobsApi(
  api: SidecarApi,
  queries: Pick<QueriesApi, "answer" | "cancelJob">,
  bodies: BodyReader,
): Hono<CallerEnv> {
  const routes = new Hono<CallerEnv>();
  const snapshot = policySnapshots(api);

  async function explained(query: Query) {
    const { knowledge } = await snapshot();
    return explain({ query, knowledge: { ...knowledge, usage: unusedBy(query.providers) }, nowMs: Date.now() });
  }

  routes.post("/", async (c) => {
    const { request, query, leaseMs } = jobRequest(await bodies.read(c));
    const caller = c.get("caller");
    const asked = askedBy(caller, query);
    const { plan } = await explained(asked);
    if ("reasons" in plan) return problemResponse(refusalProblem(plan.reasons));
    await checkRoom(caller.subject);
    const nowMs = Date.now();
    const job: JobJson = {
      id: randomUUID(),
      subject: caller.subject,
      user: { ...caller.user },
      request,
      providers: plan.verdicts.flatMap(({ provider, decision }) => (decision?.$case === "terms" ? [provider] : [])),
      withdrawn: [],
      leaseMs,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + leaseMs,
    };
    // What changed between the look and this, the sidecar sees: it looks at each job that is new.
    await api.put(jobKey(job.id), JSON.stringify(job), { ifRevision: 0 });
    const location = `jobs/${job.id}`;
    return c.json(await jobAnswer((await find(c, job.id)).job), 201, { location });
  });

  routes.get("/:id", async (c) => c.json(await jobAnswer((await find(c)).job)));

  routes.post("/:id/queries", async (c) => {
    const more = jobQuery(await bodies.read(c));
    const { job } = await use(c);
    const { query, timeoutMs } = queryOfJob(job, withOptionsOf(job, more));
    return queries.answer(c, { query, timeoutMs, job: job.id, toQueries: "../../queries/" });
  });

  routes.delete("/:id", async (c) => {
    const job = await change(c, (found) => deleted(found, Date.now()));
    queries.cancelJob(job.id);
    return c.json(await jobAnswer(job));
  });

  /** @throws DynamosError NOT_FOUND, also when it is another's */
  async function find(c: Context<CallerEnv>, id = c.req.param("id") ?? ""): Promise<Found> {
    const entry = await api.get(jobKey(id));
    const job = entry === undefined ? undefined : jobFromJson(JSON.parse(entry.value));
    if (entry === undefined || job === undefined || job.subject !== c.get("caller").subject) {
      throw new DynamosError(ErrorCode.NOT_FOUND, "there is no job of this id, or it ended long ago");
    }
    return { job: jobNow(job, Date.now()), revision: entry.revision };
  }

  /** Renews the lease. @throws DynamosError REVOKED, NOT_FOUND: it has ended */
  async function use(c: Context<CallerEnv>): Promise<{ job: JobJson }> {
    const job = await change(c, (found) => renewed(found, Date.now()));
    const { ended } = job;
    if (ended === undefined) return { job };
    const code = ended.cause === "revoked" ? ErrorCode.REVOKED : ErrorCode.NOT_FOUND;
    throw new DynamosError(code, `job ${job.id} has ended: ${ended.message}`);
  }

  /** Of a job that has not ended. The sidecar writes jobs too, when what is agreed changes. */
  async function change(c: Context<CallerEnv>, next: (job: JobJson) => JobJson): Promise<JobJson> {
    for (let tries = 1; ; tries++) {
      const { job, revision } = await find(c);
      if (job.ended !== undefined) return job;
      const changed = next(job);
      try {
        await api.put(jobKey(job.id), JSON.stringify(changed), { ifRevision: revision });
        return changed;
      } catch (error) {
        if (!hasCode(error, ErrorCode.REVISION_CONFLICT) || tries >= limits.usageTriesMax) throw error;
      }
    }
  }

  async function checkRoom(subject: string): Promise<void> {
    const { entries } = await api.list(keys.jobs);
    const nowMs = Date.now();
    const open = entries
      .map(({ value }) => jobNow(jobFromJson(JSON.parse(value)), nowMs))
      .filter((job) => job.subject === subject && job.ended === undefined);
    if (open.length < limits.jobsPerSubjectMax) return;
    throw new DynamosError(ErrorCode.RATE_LIMITED, `at most ${limits.jobsPerSubjectMax} jobs at once: end one of them`);
  }

  async function jobAnswer(job: JobJson) {
    const { id, createdAtMs, expiresAtMs, leaseMs, providers, withdrawn, ended } = job;
    const common = {
      id,
      status: ended === undefined ? "active" : "ended",
      createdAt: new Date(createdAtMs).toISOString(),
      leaseMs,
      providers,
      withdrawn: withdrawn.map(({ provider, message, atMs }) => ({
        provider,
        message,
        at: new Date(atMs).toISOString(),
      })),
    };
    if (ended !== undefined) {
      return {
        ...common,
        ended: { at: new Date(ended.atMs).toISOString(), cause: ended.cause, message: ended.message },
      };
    }
    const { plan } = await explained(queryOfJob(job).query);
    const now =
      "reasons" in plan
        ? { reasons: plan.reasons.map(reasonJson) }
        : {
            archetypes: plan.choices.map(choiceJson),
            verdicts: plan.verdicts.map(verdictJson),
            plan: planJson(plan),
          };
    return { ...common, expiresAt: new Date(expiresAtMs).toISOString(), ...now };
  }

  return routes;
}
