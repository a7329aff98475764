/** Who asks: what a verified token says, and nothing that the request says of itself. */
import { ErrorCode, type Query } from "#contracts";
import { DynamosError } from "#errors";
import type { ServerTiming } from "./server-timing.ts";

export const roles = ["researcher", "steward", "operator", "auditor"] as const;
export type Role = (typeof roles)[number];

export interface Caller {
  /** The token's own name for them, one for each person or machine: what they asked is theirs by this name. */
  readonly subject: string;
  /** As named in the agreements. */
  readonly user: { readonly id: string; readonly name: string };
  readonly roles: readonly Role[];
  /** Of a steward, else "". */
  readonly party: string;
}

/** Of every route behind `authenticate`: `new Hono<CallerEnv>()`, then `c.get("caller")`. */
export interface CallerEnv {
  Variables: { caller: Caller; timing: ServerTiming };
}

/**
 * The query as this caller's, whatever its body says.
 * @param query its user as in the body; empty where that says nothing
 * @throws DynamosError FORBIDDEN when the body names somebody else
 */
export function askedBy({ user }: Caller, query: Query): Query {
  const { name = "", id = "" } = query.user ?? {};
  const differs = name !== "" && name !== user.name ? "name" : id !== "" && id !== user.id ? "id" : undefined;
  if (differs !== undefined) {
    throw new DynamosError(
      ErrorCode.FORBIDDEN,
      `user.${differs} in the body is not the ${differs} of the token's user: leave it out, the token says who asks`,
    );
  }
  return { ...query, user: { ...user } };
}
