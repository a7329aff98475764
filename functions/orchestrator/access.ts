/** Who may do what. Whatever is not here, nobody may. */
import type { Caller, Role } from "./caller.ts";

export interface AccessRule {
  readonly method: string;
  /** As the routes write it. */
  readonly path: string;
  /** One of them is enough. */
  readonly roles: readonly Role[];
  /** A steward only where `:name` is their party. */
  readonly ownParty?: boolean;
}

const everybody: readonly Role[] = ["researcher", "steward", "operator", "auditor"];
const rule = (method: string, path: string, roles: readonly Role[], ownParty = false): AccessRule => ({
  method,
  path,
  roles,
  ownParty,
});

/** What a researcher asked is moreover theirs alone, by their subject: the stores of queries and jobs see to that. */
export const accessRules: readonly AccessRule[] = [
  rule("POST", "/v1/queries", ["researcher"]),
  rule("GET", "/v1/queries/:id", ["researcher"]),
  rule("GET", "/v1/queries/:id/result", ["researcher"]),
  rule("DELETE", "/v1/queries/:id", ["researcher"]),
  rule("POST", "/v1/jobs", ["researcher"]),
  rule("GET", "/v1/jobs/:id", ["researcher"]),
  rule("POST", "/v1/jobs/:id/queries", ["researcher"]),
  rule("DELETE", "/v1/jobs/:id", ["researcher"]),
  rule("POST", "/v1/policy/explain", ["researcher", "steward"]),
  rule("POST", "/v1/policy/diff", ["steward", "operator"]),

  // Of an agreement everybody who is named in it could read who else is.
  rule("GET", "/v1/agreements", ["steward", "operator", "auditor"]),
  rule("GET", "/v1/agreements/:name", ["steward", "operator", "auditor"]),
  rule("GET", "/v1/agreements/:name/history", ["steward", "operator", "auditor"]),
  rule("PUT", "/v1/agreements/:name", ["steward"], true),
  rule("DELETE", "/v1/agreements/:name", ["steward"], true),
  ...["archetypes/:name", "request-types/:name", "steps/:name", "parties/:name", "data-sets/:party/:name"].flatMap(
    (document) => [
      rule("GET", `/v1/${document}`, ["steward", "operator", "auditor"]),
      rule("GET", `/v1/${document}/history`, ["steward", "operator", "auditor"]),
      rule("PUT", `/v1/${document}`, ["operator"]),
      rule("DELETE", `/v1/${document}`, ["operator"]),
    ],
  ),
  ...["archetypes", "request-types", "steps", "data-sets"].map((kind) =>
    rule("GET", `/v1/${kind}`, ["steward", "operator", "auditor"]),
  ),
  rule("GET", "/v1/parties", everybody),
  rule("GET", "/v1/catalogue", everybody),
  rule("GET", "/v1/records", ["auditor"]),
];

/**
 * @param name what stands for `:name` in the path
 * @returns why this caller may not, or undefined when they may
 */
export function refusalOf(
  { roles, ownParty }: AccessRule,
  caller: Caller,
  name: string | undefined,
): string | undefined {
  if (!roles.some((role) => caller.roles.includes(role))) {
    return `this needs the role ${roles.join(" or ")}`;
  }
  if (ownParty && (caller.party === "" || caller.party !== name)) {
    return `this needs the role steward of ${name}`;
  }
  return undefined;
}
