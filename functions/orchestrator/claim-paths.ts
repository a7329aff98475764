/** Where a token says who somebody is; issuers differ. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

/** Keys from the outermost in; one for most: `["realm_access", "roles"]`. */
export type ClaimPath = readonly string[];

export interface ClaimPaths {
  readonly subject: ClaimPath;
  readonly userName: ClaimPath;
  readonly userId: ClaimPath;
  readonly roles: ClaimPath;
  readonly party: ClaimPath;
}

const defaultPaths: ClaimPaths = {
  subject: ["sub"],
  userName: ["email"],
  userId: ["sub"],
  roles: ["roles"],
  party: ["party"],
};

const depthMax = 8;

/**
 * A claim's name may hold dots and slashes (`https://example.org/roles`), so a path is a list.
 * @param text JSON: `{"userName": "preferred_username", "roles": ["realm_access", "roles"]}`; what is left out stays as it is
 * @throws DynamosError naming what is wrong: a wrong setting stops the start
 */
export function readClaimPaths(text: string): ClaimPaths {
  if (text === "") return defaultPaths;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong("is not JSON");
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw wrong("must be a JSON object");
  const known = Object.keys(defaultPaths);
  const paths = Object.entries(json).map(([name, value]): [string, ClaimPath] => {
    if (!known.includes(name)) throw wrong(`has ${name}, and takes ${known.join(", ")}`);
    const path: unknown[] = Array.isArray(value) ? value : [value];
    const isPath = path.length > 0 && path.length <= depthMax && path.every((key) => typeof key === "string" && key);
    if (!isPath) throw wrong(`has for ${name} neither a claim's name nor a list of names`);
    return [name, path as string[]];
  });
  return { ...defaultPaths, ...Object.fromEntries(paths) };
}

/** Own properties only: `__proto__` is a claim like another, and none that every object has. */
export function claimAt(claims: unknown, path: ClaimPath): unknown {
  let value = claims;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function wrong(what: string): DynamosError {
  return new DynamosError(ErrorCode.INTERNAL, `token_claims ${what}`);
}
