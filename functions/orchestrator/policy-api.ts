/** `/v1/policy`: what would be decided and why, without running anything or using anything up. */
import { setImmediate as turn } from "node:timers/promises";
import { Hono } from "hono";
import { ErrorCode, type Knowledge, type Query } from "#contracts";
import { agreementFromJson, InvalidDocument, queryRequestFromJson } from "#contracts/documents";
import { explain } from "#domain/explain/explain";
import { everybodyOnline, flipsOf } from "#domain/explain/policy-diff";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";
import { askedBy, type Caller, type CallerEnv } from "./caller.ts";
import { explanationJson, flipJson } from "./explanation-json.ts";
import { policySnapshots } from "./policy-snapshot.ts";
import { readJson } from "./read-json.ts";

export function policyApi(api: SidecarApi): Hono<CallerEnv> {
  const routes = new Hono<CallerEnv>();
  const snapshot = policySnapshots(api);

  routes.post("/explain", async (c) => {
    const query = explainedFor(c.get("caller"), queryFromJson(await readJson(c)));
    const { knowledge, revision } = await snapshot();
    const situation = { query, knowledge: { ...knowledge, usage: nothingUsed(query) }, nowMs: Date.now() };
    return c.json(explanationJson(explain(situation), query, revision));
  });

  routes.post("/diff", async (c) => {
    const { agreement, requests } = diffFromJson(await readJson(c, limits.agreementBytesMax));
    checkMayChange(c.get("caller"), agreement.name);
    const { knowledge, revision } = await snapshot();
    const flips = await flipsOfAll(requests, { agreement, knowledge: everybodyOnline(knowledge) });
    return c.json({ revision, agreement: agreement.name, requests: requests.length, flips });
  });

  return routes;
}

/** Whoever may only ask is told of themself alone; a steward, of any user, whose agreements they may read. */
function explainedFor(caller: Caller, query: Query): Query {
  const mayAskForOthers = caller.roles.some((role) => role === "steward" || role === "operator");
  return mayAskForOthers && query.user?.name ? query : askedBy(caller, query);
}

function checkMayChange({ roles, party }: Caller, name: string): void {
  if (roles.includes("operator") || (roles.includes("steward") && party === name)) return;
  throw new DynamosError(ErrorCode.FORBIDDEN, `this needs the role operator or steward of ${name}`);
}

/** The SQL plays no part in what is allowed at all: it may be left out. */
function queryFromJson(json: unknown): Query {
  const isWithoutSql = isObject(json) && !Object.hasOwn(json, "sql");
  return queryRequestFromJson(isWithoutSql ? { ...json, sql: "SELECT 1" } : json).query;
}

/** How many queries are left is another question than whether they are allowed. */
function nothingUsed({ providers }: Query): Knowledge["usage"] {
  return providers.map((provider) => ({ provider, queries: 0 }));
}

function diffFromJson(json: unknown) {
  const { agreement, requests } = isObject(json) ? json : {};
  if (!Array.isArray(requests) || requests.length > limits.diffRequestsMax) {
    const message = `must be an array of at most ${limits.diffRequestsMax} requests`;
    throw new InvalidDocument("comparison", [{ path: "/requests", message }]);
  }
  return {
    agreement: below("/agreement", () => agreementFromJson(agreement, 0)),
    requests: requests.map((request, index) =>
      below(`/requests/${index}`, () => {
        const query = queryFromJson(request);
        if (query.user?.name) return query;
        throw new InvalidDocument("query request", [{ path: "/user", message: "must say who asked" }]);
      }),
    ),
  };
}

async function flipsOfAll(
  requests: readonly Query[],
  { agreement, knowledge }: { agreement: ReturnType<typeof agreementFromJson>; knowledge: Knowledge },
) {
  const nowMs = Date.now();
  const all = [];
  for (const [index, query] of requests.entries()) {
    // Others' requests are answered in between.
    if (index % limits.diffRequestsPerTurn === 0) await turn();
    const flips = flipsOf({ query, knowledge: { ...knowledge, usage: nothingUsed(query) }, nowMs }, agreement);
    if (flips.length > 0) all.push({ request: index, user: query.user?.name, changes: flips.map(flipJson) });
  }
  return all;
}

/** Paths of what is inside another document. */
function below<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidDocument)) throw error;
    throw new InvalidDocument(
      "comparison",
      error.problems.map((problem) => ({ ...problem, path: path + problem.path })),
    );
  }
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
