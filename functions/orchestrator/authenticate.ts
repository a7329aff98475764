/** Before every route: whose request it is, and whether they ask too often (RFC 6750, RFC 6585 section 4). */
import type { MiddlewareHandler } from "hono";
import { ErrorCode } from "#contracts";
import { toDynamosError } from "#errors";
import type { Log } from "#ports/log";
import type { CallerEnv } from "./caller.ts";
import { problem, problemOf, problemResponse } from "./problem.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { TokenVerifier } from "./token.ts";

export interface AuthenticateOptions {
  readonly verify: TokenVerifier;
  readonly rateLimit: RateLimit;
  readonly log: Log;
}

/** Says nothing of anybody, and whoever watches over a process has no token. */
const open = ["/healthz"];

export function authenticate({ verify, rateLimit, log }: AuthenticateOptions): MiddlewareHandler<CallerEnv> {
  return async (c, next) => {
    if (open.includes(c.req.path)) return next();
    const field = c.req.header("authorization");
    if (field === undefined || !/^bearer\b/i.test(field)) {
      return challenge(ErrorCode.UNAUTHENTICATED, "a bearer token is needed: authorization: Bearer …");
    }
    // Of a field that came twice this sees both, with a comma between.
    const token = /^bearer +([\w.~+/-]+=*) *$/i.exec(field)?.[1];
    if (token === undefined) {
      return challenge(
        ErrorCode.INVALID_REQUEST,
        "the authorization header is not one bearer token",
        "invalid_request",
      );
    }
    try {
      c.set("caller", await verify(token));
      c.get("timing").mark("auth");
    } catch (error) {
      const { code, message } = toDynamosError(error);
      log.log(code === ErrorCode.UNAUTHENTICATED ? "info" : "warn", "a token was not taken", { reason: message });
      if (code === ErrorCode.UNAUTHENTICATED) return challenge(code, message, "invalid_token");
      return problemResponse(problemOf(error));
    }
    const waitS = rateLimit.take(c.get("caller").subject);
    if (waitS === undefined) return next();
    return problemResponse(problem(ErrorCode.RATE_LIMITED, `you ask too often: the next one in ${waitS} s`), {
      "retry-after": String(waitS),
    });
  };
}

/** @param error of RFC 6750 section 3.1; absent where the request has no token at all */
function challenge(code: ErrorCode, message: string, error?: string): Response {
  // A quoted string (RFC 9110 section 5.6.4) of ASCII; a claim's configured name may be anything.
  const description = message.replace(/[^\x20-\x7e]|["\\]/g, "?");
  const details = error === undefined ? "" : `, error="${error}", error_description="${description}"`;
  return problemResponse(problem(code, message), { "www-authenticate": `Bearer realm="dynamos"${details}` });
}
