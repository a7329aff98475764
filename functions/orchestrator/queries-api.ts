/** `/v1/queries`: ask, look, fetch, cancel. */
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { ErrorCode, type Query } from "#contracts";
import { type InvalidDocument, queryRequestFromJson } from "#contracts/documents";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Log } from "#ports/log";
import type { SidecarApi } from "#sidecar/client";
import { createAdmission, type Refused } from "./admission.ts";
import type { Answer } from "./answer.ts";
import { answerHeaded, answerOnce } from "./answer-once.ts";
import { checkAccept, type Wish } from "./answer-response.ts";
import type { BodyReader } from "./body-reader.ts";
import { askedBy, type CallerEnv } from "./caller.ts";
import type { Collected } from "./collect.ts";
import type { ResultCacheSettings } from "./config.ts";
import { chooseHead, wantsLines } from "./head-response.ts";
import { keptResponse } from "./kept-answer.ts";
import { preferencesOf } from "./prefer.ts";
import { problem, problemResponse } from "./problem.ts";
import { createQueryArchive } from "./query-archive.ts";
import { createQueryStore, type QueryRecord, statusJson } from "./query-store.ts";
import { createResultCache } from "./result-cache.ts";
import { type Run, runQuery } from "./run-query.ts";
import { type RememberingOptions, runRemembering } from "./run-remembering.ts";
import { type HeadedRun, runWithHead } from "./run-with-head.ts";
import { traceparentOf } from "./traceparent.ts";
import { within } from "./within.ts";

/** A query of the caller's, whatever it was read from. */
export interface AskedQuery {
  readonly query: Query;
  readonly timeoutMs: number | undefined;
  /** Of the job that it is asked under; else "". */
  readonly job: string;
  /** From the request's own URL to `/v1/queries/` (RFC 3986 section 5), so that it holds behind any gateway. */
  readonly toQueries: string;
}

export interface QueriesApi {
  readonly routes: Hono<CallerEnv>;
  /** Runs it and answers as the request's headers wish. @throws DynamosError */
  answer(c: Context<CallerEnv>, asked: AskedQuery): Promise<Response>;
  /** Cancels what runs under a job. */
  cancelJob(job: string): void;
  /** Takes no more queries, and cancels what still runs shortly before the end of the drain. */
  stopping(drainMs: number): void;
  /** Waits for what runs, and cancels it unless it is stopping: then the end of the drain does. */
  close(): Promise<void>;
}

export interface QueriesOptions {
  readonly api: SidecarApi;
  readonly bodies: BodyReader;
  readonly exchangeParty: string;
  readonly log: Log;
  readonly runningQueriesMax: number;
  /** Undefined: no answer is remembered. */
  readonly resultCache: ResultCacheSettings | undefined;
}

interface Started {
  readonly job: string;
  readonly record: QueryRecord;
  readonly controller: AbortController;
  /** Resolves when its answer is in the record. */
  readonly done: Promise<void>;
  /** Resolves before, where what the answer begins with is known before. */
  readonly head: Promise<Answer | undefined>;
}

/** What becomes of the rows: kept to be fetched, sent when they are all there, or the first ones sent before. */
type Delivery = "kept" | "whole" | "headed";

export function queriesApi(options: QueriesOptions): QueriesApi {
  const { api, bodies, exchangeParty, log, runningQueriesMax, resultCache } = options;
  const run: Run<RememberingOptions> =
    resultCache === undefined ? runQuery : runRemembering(createResultCache({ ...resultCache, now: Date.now }));
  const archive = createQueryArchive({ api, exchangeParty, log, now: Date.now });
  const store = createQueryStore({
    now: Date.now,
    dropTransfer: (name) => api.dropTransfer(name),
    renewTransfer: (name) => api.renewTransfer(name),
    forgotten: (id) => void archive.drop(id),
  });
  const tools = { store, reader: api, log };
  const admission = createAdmission(runningQueriesMax);
  const running = new Set<Started>();
  const routes = new Hono<CallerEnv>();
  let isStopping = false;
  let cutTimer: NodeJS.Timeout | undefined;

  function start(c: Context<CallerEnv>, asked: AskedQuery, delivery: Delivery): Started | Refused {
    const { query, timeoutMs = limits.queryTimeoutMsDefault, job } = asked;
    if (isStopping) return { message: "this orchestrator is stopping", retryAfterS: 1 };
    const startedAtMs = Date.now();
    const refused = admission.start(startedAtMs, timeoutMs);
    if (refused !== undefined) return refused;
    const controller = new AbortController();
    const deadlineMs = startedAtMs + timeoutMs;
    const cancel = () => controller.abort();
    const { subject } = c.get("caller");
    const keepsRows = delivery === "kept";
    const record = store.open({
      id: randomUUID(),
      subject,
      startedAtMs,
      deadlineMs,
      cancel,
      keepsRows,
    });
    const options = {
      subject,
      api,
      exchangeParty,
      query: { ...query, id: record.id },
      deadlineMs,
      traceparent: traceparentOf(c.req.header("traceparent")),
      signal: controller.signal,
      onProgress: (collected: Collected) => {
        record.collected = collected;
      },
    };
    const { head, whole } = runFor(delivery, options);
    const done = whole.then(async (answer) => {
      const nowMs = Date.now();
      admission.ended(nowMs, !controller.signal.aborted && nowMs < deadlineMs - limits.deadlineReserveMs);
      store.close(record, answer);
      if (keepsRows) await archive.ended(record, answer);
    });
    const entry = { job, record, controller, done, head };
    running.add(entry);
    void done.finally(() => running.delete(entry));
    return entry;
  }

  function runFor(delivery: Delivery, options: RememberingOptions): HeadedRun {
    if (delivery === "headed") return runWithHead(run, options);
    // Who comes for it later holds its tables at the broker, under this query's name.
    return { head: nothing, whole: (delivery === "kept" ? runQuery : run)(options) };
  }

  async function answer(c: Context<CallerEnv>, asked: AskedQuery): Promise<Response> {
    const delivery = deliveryOf(c);
    if (delivery !== "kept") checkAccept(c.req.header("accept"));
    const timing = c.get("timing");
    timing.mark("body");
    const started = start(c, asked, delivery);
    if ("retryAfterS" in started) return refusedResponse(started);
    const { record, controller, done } = started;
    if (delivery === "kept") {
      // Before its id is told: who asks for it may reach another orchestrator.
      await archive.began(record);
      const location = `${asked.toQueries}${record.id}`;
      return c.json(statusJson(record), 202, { location, "preference-applied": "respond-async" });
    }
    const { signal } = c.req.raw;
    if (signal.aborted) controller.abort();
    signal.addEventListener("abort", () => controller.abort(), { once: true });
    const [wish, head] = [wishOf(c), await started.head];
    const chosen = head && chooseHead(head, wish, api);
    if (chosen === undefined) await done;
    timing.mark("query");
    return chosen === undefined
      ? answerOnce(record, wish, { ...tools, timing })
      : answerHeaded(started, { chosen, wish }, { ...tools, timing });
  }

  routes.post("/", async (c) => {
    const refused = admission.refuses(Date.now());
    // A body that nobody will use is not read: its sender gets the answer all the same.
    if (refused !== undefined) return refusedResponse(refused);
    const { query, timeoutMs } = queryRequestFromJson(await bodies.read(c));
    return answer(c, { query: askedBy(c.get("caller"), query), timeoutMs, job: "", toQueries: "queries/" });
  });

  /** Of this orchestrator, or of another one that has left it at the broker. @throws DynamosError NOT_FOUND, BROKER_UNAVAILABLE */
  async function ownRecord(c: Context<CallerEnv>): Promise<QueryRecord> {
    const id = c.req.param("id") ?? "";
    const { subject } = c.get("caller");
    if (!store.has(id)) {
      const found = await archive.find(id);
      const cancel = () => void api.cancel(id).catch(() => {});
      if (found?.subject === subject) return store.adopt({ ...found, cancel });
    }
    return store.find(id, subject);
  }

  routes.get("/:id", async (c) => c.json(statusJson(await ownRecord(c))));

  routes.get("/:id/result", async (c) => {
    const record = await ownRecord(c);
    const { answer } = record;
    if (answer === undefined) return c.json(statusJson(record), 202, { "retry-after": "1" });
    const conditions = {
      range: c.req.header("range"),
      ifRange: c.req.header("if-range"),
      ifNoneMatch: c.req.header("if-none-match"),
    };
    return keptResponse(Object.assign(record, { answer }), { ...wishOf(c), ...conditions }, tools);
  });

  routes.delete("/:id", async (c) => {
    const record = await ownRecord(c);
    record.cancel();
    return c.json(statusJson(record), record.answer === undefined ? 202 : 200);
  });

  function cancelAll(): void {
    for (const { controller } of running) {
      controller.abort(new DynamosError(ErrorCode.CANCELLED, "the orchestrator stopped before the query ended"));
    }
  }

  return {
    routes,
    answer,
    cancelJob: (job) => {
      for (const entry of running) if (entry.job === job) entry.controller.abort();
    },
    stopping: (drainMs) => {
      isStopping = true;
      cutTimer = setTimeout(cancelAll, Math.max(0, drainMs - Math.min(limits.cancelBeforeCutMs, drainMs / 2)));
    },
    close: async () => {
      // Asynchronous queries have no call in flight: they go on until they end, or the drain does.
      if (!isStopping) cancelAll();
      await Promise.all([...running].map(({ done }) => done));
      clearTimeout(cutTimer);
      // What can't be dropped in this time expires.
      await within(limits.cancelWaitMsMax, store.clear());
    },
  };
}

const nothing = Promise.resolve(undefined);

function deliveryOf(c: Context): Delivery {
  const preferred = preferencesOf(c.req.header("prefer"));
  if (preferred.has("respond-async")) return "kept";
  return preferred.has("first-rows") && wantsLines(c.req.header("accept")) ? "headed" : "whole";
}

function wishOf(c: Context): Wish {
  return { accept: c.req.header("accept"), party: c.req.query("party") };
}

function refusedResponse({ message, retryAfterS }: Refused): Response {
  return problemResponse(problem(ErrorCode.OVERLOADED, message), { "retry-after": String(retryAfterS) });
}

/** A body that is not what its schema says: every path that is wrong, in one answer. */
export function invalidDocumentResponse(error: InvalidDocument): Response {
  return problemResponse(problem(ErrorCode.INVALID_REQUEST, error.message, { errors: error.problems }));
}
