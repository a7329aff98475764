/** `/v1/policy`: what would be decided and why, without running anything or using anything up. */
import { Hono } from "hono";
import { ErrorCode, type Query } from "#contracts";
import { explain } from "#domain/explain/explain";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";
import type { BodyReader } from "./body-reader.ts";
import { askedBy, type Caller, type CallerEnv } from "./caller.ts";
import { comparedJson, comparisonFromJson, queryFromJson } from "./compare-requests.ts";
import { explanationJson } from "./explanation-json.ts";
import { policySnapshots } from "./policy-snapshot.ts";

export function policyApi(api: Pick<SidecarApi, "list">, bodies: BodyReader): Hono<CallerEnv> {
  const routes = new Hono<CallerEnv>();
  const snapshot = policySnapshots(api);

  routes.post("/explain", async (c) => {
    const query = explainedFor(c.get("caller"), queryFromJson(await bodies.read(c)));
    const { knowledge, revision, usageOf } = await snapshot();
    const nowMs = Date.now();
    const situation = { query, knowledge: { ...knowledge, usage: usageOf(query, nowMs) }, nowMs };
    return c.json(explanationJson(explain(situation), query, revision));
  });

  routes.post("/diff", async (c) => {
    const comparison = comparisonFromJson(await bodies.read(c, limits.agreementBytesMax));
    checkMayChange(c.get("caller"), comparison.agreement.name);
    return c.json(await comparedJson(comparison, await snapshot()));
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
