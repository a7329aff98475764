/** The orchestrator's environment, read once. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

export interface OrchestratorConfig {
  /** Of the exchange's sidecar: `unix:///path` or `host:port`. */
  readonly sidecarAddress: string;
  readonly exchangeParty: string;
  /** Queries at once, whatever the pace; `running_queries_max`. */
  readonly runningQueriesMax: number;
}

/** @throws DynamosError naming the variable: a wrong setting stops the start */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): OrchestratorConfig {
  const sidecarAddress = environment.sidecar_address ?? "";
  if (!/^(unix:\/\/\/.+|[^\s:]+:\d{1,5})$/.test(sidecarAddress)) {
    throw new DynamosError(ErrorCode.INTERNAL, "sidecar_address must be unix:///path or host:port");
  }
  const runningQueriesMax = Number(environment.running_queries_max || limits.runningQueriesMax);
  if (!Number.isInteger(runningQueriesMax) || runningQueriesMax < 1) {
    throw new DynamosError(ErrorCode.INTERNAL, "running_queries_max must be a whole number from 1 on");
  }
  return { sidecarAddress, exchangeParty: environment.exchange_party ?? "exchange", runningQueriesMax };
}
