/** The HTTP API: routes, and one place that turns every error into a problem document. */
import { Hono } from "hono";
import { ErrorCode } from "#contracts";
import { InvalidDocument } from "#contracts/documents";
import { limits } from "#domain/limits";
import { DynamosError, hasCode } from "#errors";
import type { Log } from "#ports/log";
import type { SidecarApi } from "#sidecar/client";
import { authenticate } from "./authenticate.ts";
import { createBodyReader } from "./body-reader.ts";
import type { CallerEnv } from "./caller.ts";
import type { ResultCacheSettings } from "./config.ts";
import { guard } from "./guard.ts";
import { jobsApi } from "./jobs-api.ts";
import { knowledgeApi } from "./knowledge-api.ts";
import { policyApi } from "./policy-api.ts";
import { problem, problemOf, problemResponse } from "./problem.ts";
import { invalidDocumentResponse, queriesApi } from "./queries-api.ts";
import { createRateLimit } from "./rate-limit.ts";
import { recordsApi } from "./records-api.ts";
import { createServerTiming } from "./server-timing.ts";
import type { TokenVerifier } from "./token.ts";

export interface App {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** What still runs at the end of the drain is cancelled, and its askers told. */
  stopping(drainMs: number): void;
  close(): Promise<void>;
}

/** Methods that some route of ours has; another one on a known path is 405, not 404. */
const methods = ["GET", "POST", "PUT", "DELETE"] as const;

export interface AppOptions {
  readonly api: SidecarApi;
  readonly exchangeParty: string;
  readonly log: Log;
  readonly verify: TokenVerifier;
  readonly requestsPerMinute?: number;
  readonly runningQueriesMax?: number;
  /** Absent: no answer is remembered. */
  readonly resultCache?: ResultCacheSettings | undefined;
}

export function createApp(options: AppOptions): App {
  const { api, exchangeParty, log, verify, runningQueriesMax = limits.runningQueriesMax } = options;
  const { requestsPerMinute: perMinute = limits.requestsPerMinuteDefault } = options;
  const routes = new Hono<CallerEnv>();
  const bodies = createBodyReader(limits.bodiesReadAtOnceMax);
  // However many ask, a steward's change comes through.
  const changes = createBodyReader(limits.bodiesReadAtOnceMax);
  const queries = queriesApi({ api, bodies, exchangeParty, log, runningQueriesMax, resultCache: options.resultCache });
  routes.route("/v1/queries", queries.routes);
  routes.route("/v1/jobs", jobsApi(api, queries, bodies));
  routes.route("/v1/policy", policyApi(api, bodies));
  routes.route("/v1/records", recordsApi(api, log));
  routes.route("/v1", knowledgeApi(api, changes, exchangeParty));
  routes.get("/healthz", async () => healthResponse(api));

  const app = new Hono<CallerEnv>();
  const rateLimit = createRateLimit({ perMinute, now: () => performance.now() });
  app.use("*", (c, next) => {
    c.set("timing", createServerTiming());
    return next();
  });
  app.use("*", authenticate({ verify, rateLimit, log }));
  guard(app, (method, path) => hasRoute(routes, method, path));
  app.route("/", routes);
  app.notFound((c) => {
    const allowed = methods.filter((method) => hasRoute(routes, method, c.req.path));
    return allowed.length === 0
      ? problemResponse(problem(ErrorCode.NOT_FOUND, `there is nothing at ${c.req.path}`))
      : problemResponse(problem(ErrorCode.METHOD_NOT_ALLOWED, `${c.req.path} takes ${allowed.join(", ")}`), {
          allow: allowed.join(", "),
        });
  });
  app.onError((error, c) => {
    if (error instanceof InvalidDocument) return invalidDocumentResponse(error);
    if (hasCode(error, ErrorCode.CANCELLED)) {
      log.log("info", "a request ended early", { path: c.req.path, reason: error.message });
    } else if (!(error instanceof DynamosError)) {
      log.log("error", "an unexpected error", { reason: error.message, stack: error.stack });
    }
    return problemResponse(problemOf(error));
  });
  return { fetch: (request) => app.fetch(request), stopping: queries.stopping, close: queries.close };
}

function hasRoute(routes: Hono<CallerEnv>, method: string, path: string): boolean {
  return routes.router.match(method, path)[0].length > 0;
}

async function healthResponse(api: SidecarApi): Promise<Response> {
  const ready = await api.isReady().catch(() => false);
  return new Response(`${JSON.stringify({ status: ready ? "ok" : "waiting for the sidecar" })}\n`, {
    status: ready ? 200 : 503,
    headers: { "content-type": "application/json" },
  });
}
