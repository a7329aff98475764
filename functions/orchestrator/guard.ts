/** The rules of access before the routes that they are about. */
import type { Context, Hono, Next } from "hono";
import { ErrorCode } from "#contracts";
import { type AccessRule, accessRules, refusalOf } from "./access.ts";
import type { CallerEnv } from "./caller.ts";
import { problem, problemResponse } from "./problem.ts";

interface GuardEnv {
  Variables: CallerEnv["Variables"] & { ruled?: boolean };
}

/**
 * @param app gets a guard for each rule; its routes come after it
 * @param isRoute whether there is one: what has a route and no rule is for nobody
 */
export function guard(app: Hono<GuardEnv>, isRoute: (method: string, path: string) => boolean): void {
  for (const rule of accessRules) app.on(rule.method, rule.path, (c, next) => guarded(rule, c, next));
  app.use("*", async (c, next) => {
    const { method, path } = c.req;
    // What answers GET answers HEAD.
    const isAbsent = !isRoute(method === "HEAD" ? "GET" : method, path);
    return path === "/healthz" || c.get("ruled") || isAbsent ? next() : forbidden("nobody may do this here");
  });
}

function guarded(rule: AccessRule, c: Context<GuardEnv>, next: Next): Response | Promise<void> {
  const refusal = refusalOf(rule, c.get("caller"), c.req.param("name"));
  if (refusal !== undefined) return forbidden(refusal);
  c.set("ruled", true);
  return next();
}

function forbidden(message: string): Response {
  return problemResponse(problem(ErrorCode.FORBIDDEN, message));
}
