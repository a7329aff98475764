/** Bearer tokens: JWTs (RFC 7519) that one issuer signed for this audience. What is wrong is said, never what the token holds. */
import "#runtime/web-crypto";
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Caller } from "./caller.ts";
import { callerOf } from "./caller-of-claims.ts";
import type { TokenSettings } from "./token-settings.ts";

/** @throws DynamosError UNAUTHENTICATED with a reason for its bearer; KEYS_UNAVAILABLE */
export type TokenVerifier = (token: string) => Promise<Caller>;

/** RFC 8725 section 3.1: the list is ours, never the token's. None of them takes a shared secret. */
const algorithms = ["EdDSA", "ES256", "RS256"];

/** @param now milliseconds since the epoch */
export function createTokenVerifier(
  { issuer, audience, clockSkewS, claims }: Omit<TokenSettings, "keys">,
  keys: JWTVerifyGetKey,
  now: () => number = Date.now,
): TokenVerifier {
  return async (token) => {
    if (token.length > limits.tokenCharsMax) throw refused(`the token is over ${limits.tokenCharsMax} characters`);
    let payload: JWTPayload;
    try {
      const verified = await jwtVerify(token, keyNamed(keys), {
        algorithms,
        issuer,
        audience,
        clockTolerance: clockSkewS,
        requiredClaims: ["exp"],
        // With it, `iat` must be there: so a token can't be for ever, whatever its `exp` says.
        maxTokenAge: limits.tokenAgeSMax,
        currentDate: new Date(now()),
      });
      payload = verified.payload;
    } catch (error) {
      throw error instanceof DynamosError ? error : refused(reasonOf(error));
    }
    return callerOf(payload, claims);
  };
}

/** A token says which key it was signed with: one key is tried, never all in turn. */
function keyNamed(keys: JWTVerifyGetKey): JWTVerifyGetKey {
  return (header, token) => {
    if (typeof header.kid !== "string" || header.kid === "") throw refused("the token's header names no key (kid)");
    return keys(header, token);
  };
}

/** jose's errors hold the whole token's claims, so none of them goes further. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) {
    return error.claim === "iat" ? `the token is over ${limits.tokenAgeSMax} s old` : "the token has expired";
  }
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error);
  if (error instanceof errors.JOSEAlgNotAllowed) return `the token is not signed by ${algorithms.join(", ")}`;
  if (error instanceof errors.JWKSNoMatchingKey)
    return "the token's key (kid) is none of the issuer's for its algorithm";
  if (error instanceof errors.JWKSMultipleMatchingKeys) return "the issuer has several keys with the token's kid";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the token's signature does not hold";
  if (error instanceof errors.JOSENotSupported) return "the token needs what is not supported here";
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return "the token is not a signed JWT";
  return "the token can't be verified";
}

function claimReason({ claim, reason }: errors.JWTClaimValidationFailed): string {
  if (reason === "missing") return `the token has no claim ${claim}`;
  if (reason === "invalid") return `the token's claim ${claim} is not what such a claim must be`;
  const known: Record<string, string> = {
    iss: "the token is of another issuer",
    aud: "the token is meant for another audience",
    nbf: "the token is not valid yet",
    iat: "the token was issued in the future",
  };
  return known[claim] ?? `the token's claim ${claim} does not hold`;
}

function refused(message: string): DynamosError {
  return new DynamosError(ErrorCode.UNAUTHENTICATED, message);
}
