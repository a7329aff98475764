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
  };
}

function countOf(environment: Readonly<Record<string, string | undefined>>, name: string, absent: number): number {
  const count = Number(environment[name] || absent);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new DynamosError(ErrorCode.INTERNAL, `${name} must be a whole number from 1 on`);
}
