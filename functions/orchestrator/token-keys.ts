/** The issuer's public keys: from a URL, kept for a while, or from a file, read again when it changes. */
import { readFile, stat } from "node:fs/promises";
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

export type KeySource = { readonly kind: "url"; readonly url: URL } | { readonly kind: "file"; readonly path: string };

export interface KeyTimes {
  /** Keys from a URL are believed for so long: what the issuer withdraws is gone after it. */
  readonly cacheMsMax: number;
  /** Between two fetches for a key that is not known, and after one that failed. */
  readonly coolDownMs: number;
  readonly fetchMsMax: number;
}

const usualTimes: KeyTimes = {
  cacheMsMax: limits.tokenKeysMsMax,
  coolDownMs: limits.tokenKeysCoolDownMs,
  fetchMsMax: limits.tokenKeysFetchMsMax,
};

/**
 * @returns finds the key of a token's header. It throws jose's errors, and KEYS_UNAVAILABLE when there are no keys
 * @throws DynamosError KEYS_UNAVAILABLE when the file can't be read: a wrong setting stops the start. A URL is asked
 * with the first token: its issuer may be away for a while
 */
export async function createTokenKeys(source: KeySource, times: KeyTimes = usualTimes): Promise<JWTVerifyGetKey> {
  if (source.kind === "url") return keysOfUrl(source.url, times);
  await readKeys(source.path);
  return keysOfFile(source.path);
}

function keysOfUrl(url: URL, { cacheMsMax, coolDownMs, fetchMsMax }: KeyTimes): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(url, {
    cacheMaxAge: cacheMsMax,
    cooldownDuration: coolDownMs,
    timeoutDuration: fetchMsMax,
    [customFetch]: fetchBounded,
  });
  let failedAtMs = Number.NEGATIVE_INFINITY;
  return async (header, token) => {
    // Callers that nobody knows yet must not be able to keep an issuer busy that is in trouble.
    const failedLately = performance.now() - failedAtMs < Math.min(coolDownMs, limits.tokenKeysRetryMs);
    const isHere = () => keys.fresh && keys.jwks()?.keys.some(({ kid }) => kid === header.kid);
    if (failedLately && !isHere()) throw unavailable();
    try {
      return await keys(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      failedAtMs = performance.now();
      throw unavailable(error);
    }
  };
}

/** The same, but for the length of what is read. */
async function fetchBounded(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > limits.tokenKeysBytesMax) throw new Error(`the keys are over ${limits.tokenKeysBytesMax} bytes`);
    pieces.push(piece);
  }
  return new Response(response.status === 200 ? Buffer.concat(pieces) : null, { status: response.status });
}

function keysOfFile(path: string): JWTVerifyGetKey {
  let read: { readonly version: string; readonly keys: JWTVerifyGetKey } | undefined;
  return async (header, token) => {
    const version = await versionOf(path);
    if (read?.version !== version) read = { version, keys: await readKeys(path) };
    return read.keys(header, token);
  };
}

/** A mounted secret changes by another file in its place, an editor writes into the same one. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino}/${size}/${mtimeNs}`;
  } catch (cause) {
    throw unavailable(cause);
  }
}

async function readKeys(path: string): Promise<JWTVerifyGetKey> {
  try {
    return createLocalJWKSet(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    const message = `token_jwks_file ${path} can't be read as a set of keys`;
    throw new DynamosError(ErrorCode.KEYS_UNAVAILABLE, message, { cause });
  }
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function unavailable(cause?: unknown): DynamosError {
  return new DynamosError(ErrorCode.KEYS_UNAVAILABLE, "the keys that tokens are checked with can't be had now", {
    cause,
  });
}
