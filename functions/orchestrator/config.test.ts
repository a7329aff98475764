import { describe, expect, it } from "vitest";
import { limits } from "#domain/limits";
import { readConfig } from "./config.ts";

const whole = {
  sidecar_address: "unix:///run/sidecar.sock",
  token_issuer: "https://issuer.example.org",
  token_audience: "dynamos",
  token_jwks_url: "https://issuer.example.org/keys",
};

describe("the orchestrator's settings", () => {
  it("have their defaults", () => {
    expect(readConfig(whole)).toEqual({
      sidecarAddress: "unix:///run/sidecar.sock",
      exchangeParty: "exchange",
      runningQueriesMax: limits.runningQueriesMax,
      requestsPerMinute: limits.requestsPerMinuteDefault,
      resultCache: undefined,
      tokens: {
        issuer: "https://issuer.example.org",
        audience: "dynamos",
        keys: { kind: "url", url: new URL("https://issuer.example.org/keys") },
        clockSkewS: limits.clockSkewSDefault,
        claims: { subject: ["sub"], userName: ["email"], userId: ["sub"], roles: ["roles"], party: ["party"] },
      },
    });
  });

  it("remember answers when they say how much, and for five minutes when not how long", () => {
    const of = (more: object) => readConfig({ ...whole, ...more }).resultCache;
    expect(of({ result_cache_mb: "0" })).toBeUndefined();
    expect(of({ result_cache_mb: "64" })).toEqual({ bytesMax: 67_108_864, keptMs: 300_000 });
    expect(of({ result_cache_mb: "1", result_cache_seconds: "5" })).toEqual({ bytesMax: 1_048_576, keptMs: 5_000 });
  });

  it.each(["http://127.0.0.1:9/keys", "http://localhost/keys", "http://[::1]:9/keys"])(
    "take keys of this machine from %s",
    (url) => {
      expect(readConfig({ ...whole, token_jwks_url: url }).tokens.keys).toEqual({ kind: "url", url: new URL(url) });
    },
  );

  it.each<[string, Record<string, string | undefined>, string]>([
    ["whose tokens are believed is not said", { token_issuer: undefined }, "token_issuer is not set"],
    ["the issuer is empty", { token_issuer: "" }, "token_issuer is not set"],
    ["the audience is not said", { token_audience: undefined }, "token_audience is not set"],
    ["there are no keys", { token_jwks_url: undefined }, "one of token_jwks_url and token_jwks_file"],
    ["there are two sources of keys", { token_jwks_file: "/keys" }, "one of token_jwks_url and token_jwks_file"],
    [
      "keys would come without TLS",
      { token_jwks_url: "http://issuer.example.org/keys" },
      "token_jwks_url must be https",
    ],
    [
      "keys would come from a name like this machine's",
      { token_jwks_url: "http://localhost.example.org/" },
      "token_jwks_url must be https",
    ],
    ["the keys' address is none", { token_jwks_url: "keys" }, "token_jwks_url must be https"],
    ["the keys' address is a file", { token_jwks_url: "file:///keys" }, "token_jwks_url must be https"],
    ["the skew is none", { token_clock_skew_s: "1m" }, "token_clock_skew_s must be a whole number from 0 to 300"],
    ["the skew is too large", { token_clock_skew_s: "301" }, "token_clock_skew_s must be a whole number from 0 to 300"],
    ["the mapping is none", { token_claims: "email" }, "token_claims is not JSON"],
    ["the cache's size is none", { result_cache_mb: "-1" }, "result_cache_mb must be a whole number from 0 to 4096"],
    [
      "an answer is kept for no time",
      { result_cache_seconds: "0" },
      "result_cache_seconds must be a whole number from 1",
    ],
    ["the rate is none", { rate_limit_per_minute: "0" }, "rate_limit_per_minute must be a whole number from 1 on"],
    [
      "the rate is no number",
      { rate_limit_per_minute: "off" },
      "rate_limit_per_minute must be a whole number from 1 on",
    ],
  ])("stop the start when %s", (_, change, message) => {
    expect(() => readConfig({ ...whole, ...change })).toThrow(message);
  });
});
