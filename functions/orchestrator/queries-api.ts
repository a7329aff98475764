/** `/v1/queries`: ask, look, fetch, cancel. */
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { ErrorCode } from "#contracts";
import { type InvalidDocument, queryRequestFromJson } from "#contracts/documents";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";
import type { Answer } from "./answer.ts";
import { problem, problemResponse } from "./problem.ts";
import { createQueryStore, type QueryRecord, statusJson } from "./query-store.ts";
import { readJson } from "./read-json.ts";
import { runQuery } from "./run-query.ts";
import { traceparentOf } from "./traceparent.ts";

export interface QueriesApi {
  readonly routes: Hono;
  /** Cancels what runs and waits for its end. */
  close(): Promise<void>;
}

export function queriesApi(api: SidecarApi, exchangeParty: string): QueriesApi {
  const store = createQueryStore(Date.now);
  const running = new Set<{ controller: AbortController; done: Promise<void> }>();
  const routes = new Hono();

  /** Starts the query; `done` resolves when its answer is in the record. */
  async function start(c: Context): Promise<{ record: QueryRecord; controller: AbortController; done: Promise<void> }> {
    const { query, timeoutMs } = queryRequestFromJson(await readJson(c));
    const controller = new AbortController();
    const startedAtMs = Date.now();
    const record: QueryRecord = {
      id: randomUUID(),
      startedAtMs,
      deadlineMs: startedAtMs + (timeoutMs ?? limits.queryTimeoutMsDefault),
      cancel: () => controller.abort(),
      collected: undefined,
      answer: undefined,
    };
    store.open(record);
    const answered = runQuery({
      api,
      exchangeParty,
      query: { ...query, id: record.id },
      deadlineMs: record.deadlineMs,
      traceparent: traceparentOf(c.req.header("traceparent")),
      signal: controller.signal,
      onProgress: (collected) => {
        record.collected = collected;
      },
    });
    const done = answered.then((answer: Answer) => store.close(record, answer));
    const entry = { controller, done };
    running.add(entry);
    void done.finally(() => running.delete(entry));
    return { record, controller, done };
  }

  routes.post("/", async (c) => {
    const { record, controller, done } = await start(c);
    if (/(^|,)\s*respond-async\s*(,|;|$)/i.test(c.req.header("prefer") ?? "")) {
      // Relative to the request's own URL (RFC 3986 section 5), so it holds behind any gateway.
      const location = `queries/${record.id}`;
      return c.json(statusJson(record), 202, { location, "preference-applied": "respond-async" });
    }
    c.req.raw.signal.addEventListener("abort", () => controller.abort(), { once: true });
    await done;
    return answerResponse(record);
  });

  routes.get("/:id", (c) => c.json(statusJson(store.find(c.req.param("id")))));

  routes.get("/:id/result", (c) => {
    const record = store.find(c.req.param("id"));
    return record.answer === undefined
      ? c.json(statusJson(record), 202, { "retry-after": "1" })
      : answerResponse(record);
  });

  routes.delete("/:id", (c) => {
    const record = store.find(c.req.param("id"));
    record.cancel();
    return c.json(statusJson(record), record.answer === undefined ? 202 : 200);
  });

  return {
    routes,
    close: async () => {
      const rest = [...running];
      for (const { controller } of rest) controller.abort();
      await Promise.all(rest.map(({ done }) => done));
    },
  };
}

function answerResponse({ id, answer }: QueryRecord): Response {
  if (answer === undefined) {
    throw new DynamosError(ErrorCode.INTERNAL, `query ${id} has no answer yet`);
  }
  const headers: Record<string, string> = { "content-type": answer.contentType, "x-query-id": id };
  if (answer.status === 503) headers["retry-after"] = "1";
  return new Response(answer.text, { status: answer.status, headers });
}

/** A body that is not what its schema says: every path that is wrong, in one answer. */
export function invalidDocumentResponse(error: InvalidDocument): Response {
  return problemResponse(problem(ErrorCode.INVALID_REQUEST, error.message, { errors: error.problems }));
}
