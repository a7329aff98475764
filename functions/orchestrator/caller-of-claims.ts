/** From the claims of a token whose signature holds to who asks. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { type Caller, roles } from "./caller.ts";
import { type ClaimPath, type ClaimPaths, claimAt } from "./claim-paths.ts";

/** @throws DynamosError UNAUTHENTICATED naming the claim that is missing or is no name */
export function callerOf(claims: Readonly<Record<string, unknown>>, paths: ClaimPaths): Caller {
  checkEmail(claims, paths.userName);
  const names = rolesIn(claimAt(claims, paths.roles));
  const known = roles.filter((role) => names.includes(role));
  return {
    subject: nameAt(claims, paths.subject),
    user: { id: nameAt(claims, paths.userId, ""), name: nameAt(claims, paths.userName) },
    roles: known,
    party: known.includes("steward") ? nameAt(claims, paths.party, "") : "",
  };
}

/** A list, or words in one string as in `scope` (RFC 8693 section 4.2). Names that are no role of ours are nobody's. */
function rolesIn(claim: unknown): readonly unknown[] {
  if (Array.isArray(claim)) return claim.slice(0, limits.tokenRolesMax);
  return typeof claim === "string" ? claim.split(" ", limits.tokenRolesMax) : [];
}

function nameAt(claims: unknown, path: ClaimPath, absent?: string): string {
  const value = claimAt(claims, path);
  if (value === undefined && absent !== undefined) return absent;
  if (value === undefined) throw refused(`the token has no claim ${path.join(".")}`);
  const isName =
    typeof value === "string" && value.length > 0 && value.length <= limits.claimCharsMax && !/\p{Cc}/u.test(value);
  if (!isName) {
    throw refused(`the token's claim ${path.join(".")} is no text of 1 to ${limits.claimCharsMax} characters`);
  }
  return value;
}

/** OpenID Connect Core section 5.1: an address that nobody has verified may be anybody's. */
function checkEmail(claims: Readonly<Record<string, unknown>>, path: ClaimPath): void {
  const isEmail = path.length === 1 && path[0] === "email";
  if (isEmail && Object.hasOwn(claims, "email_verified") && claims.email_verified !== true) {
    throw refused("the token's issuer has not verified the claim email");
  }
}

function refused(message: string): DynamosError {
  return new DynamosError(ErrorCode.UNAUTHENTICATED, message);
}
