/** Whose tokens the orchestrator believes. Without these settings it does not start: there is no way to leave them out. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { type ClaimPaths, readClaimPaths } from "./claim-paths.ts";
import type { KeySource } from "./token-keys.ts";

export interface TokenSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: KeySource;
  readonly clockSkewS: number;
  readonly claims: ClaimPaths;
}

/** @throws DynamosError naming the variable: a wrong setting stops the start */
export function readTokenSettings(environment: Readonly<Record<string, string | undefined>>): TokenSettings {
  const { token_issuer: issuer = "", token_audience: audience = "" } = environment;
  const skew = environment.token_clock_skew_s || String(limits.clockSkewSDefault);
  if (issuer === "") throw wrong("token_issuer is not set: the orchestrator must know whose tokens it believes");
  if (audience === "")
    throw wrong("token_audience is not set: the orchestrator must know which tokens are meant for it");
  if (!/^\d+$/.test(skew) || Number(skew) > limits.clockSkewSMax) {
    throw wrong(`token_clock_skew_s must be a whole number from 0 to ${limits.clockSkewSMax}`);
  }
  return {
    issuer,
    audience,
    keys: keySourceOf(environment.token_jwks_url ?? "", environment.token_jwks_file ?? ""),
    clockSkewS: Number(skew),
    claims: readClaimPaths(environment.token_claims ?? ""),
  };
}

function keySourceOf(url: string, file: string): KeySource {
  if ((url === "") === (file === "")) {
    throw wrong("one of token_jwks_url and token_jwks_file must say where the issuer's public keys are");
  }
  return file === "" ? { kind: "url", url: keysUrl(url) } : { kind: "file", path: file };
}

/** Who changes the keys on their way is believed: so only over TLS, or within this machine. */
function keysUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLocal = url?.protocol === "http:" && /^(127(\.\d+){3}|localhost|\[::1\])$/.test(url.hostname);
  if (url === undefined || (url.protocol !== "https:" && !isLocal)) {
    throw wrong("token_jwks_url must be https://…; http://… only of this machine");
  }
  return url;
}

function wrong(message: string): DynamosError {
  return new DynamosError(ErrorCode.INTERNAL, message);
}
