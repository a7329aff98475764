/** The orchestrator's environment, read once. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { readTokenSettings, type TokenSettings } from "./token-settings.ts";

export interface OrchestratorConfig {
  /** Of the exchange's sidecar: `unix:///path` or `host:port`. */
  readonly sidecarAddress: string;
  readonly exchangeParty: string;
  /** Queries at once, whatever the pace; `running_queries_max`. */
  readonly runningQueriesMax: number;
  /** Of one subject; `rate_limit_per_minute`. */
  readonly requestsPerMinute: number;
  readonly tokens: TokenSettings;
  /** Answers that are remembered; undefined: none is. `result_cache_mb`, `result_cache_seconds`. */
  readonly resultCache: ResultCacheSettings | undefined;
}

export interface ResultCacheSettings {
  /** Of all of them. */
  readonly bytesMax: number;
  /** How long each is remembered, from its answer on. */
  readonly keptMs: number;
}

/** @throws DynamosError naming the variable: a wrong setting stops the start */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): OrchestratorConfig {
  const sidecarAddress = environment.sidecar_address ?? "";
  if (!/^(unix:\/\/\/.+|[^\s:]+:\d{1,5})$/.test(sidecarAddress)) {
    throw new DynamosError(ErrorCode.INTERNAL, "sidecar_address must be unix:///path or host:port");
  }
  return {
    sidecarAddress,
    exchangeParty: environment.exchange_party ?? "exchange",
    runningQueriesMax: countOf(environment, "running_queries_max", limits.runningQueriesMax),
    requestsPerMinute: countOf(environment, "rate_limit_per_minute", limits.requestsPerMinuteDefault),
    tokens: readTokenSettings(environment),
    resultCache: resultCacheOf(environment),
  };
}

function resultCacheOf(environment: Readonly<Record<string, string | undefined>>): ResultCacheSettings | undefined {
  const { result_cache_mb: mb = "", result_cache_seconds: seconds = "" } = environment;
  const size = rangeOf("result_cache_mb", mb || "0", 0, limits.resultCacheMbMax);
  const kept = rangeOf(
    "result_cache_seconds",
    seconds || String(limits.resultCacheSecondsDefault),
    1,
    limits.resultCacheSecondsMax,
  );
  return size === 0 ? undefined : { bytesMax: size * 1_048_576, keptMs: kept * 1_000 };
}

function rangeOf(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new DynamosError(ErrorCode.INTERNAL, `${name} must be a whole number from ${min} to ${max}`);
}

function countOf(environment: Readonly<Record<string, string | undefined>>, name: string, absent: number): number {
  const count = Number(environment[name] || absent);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new DynamosError(ErrorCode.INTERNAL, `${name} must be a whole number from 1 on`);
}
