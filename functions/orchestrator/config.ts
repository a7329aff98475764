/** The orchestrator's environment, read once. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

export interface OrchestratorConfig {
  /** Of the exchange's sidecar: `unix:///path` or `host:port`. */
  readonly sidecarAddress: string;
  readonly exchangeParty: string;
}

/** @throws DynamosError naming the variable: a wrong setting stops the start */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): OrchestratorConfig {
  const sidecarAddress = environment.sidecar_address ?? "";
  if (!/^(unix:\/\/\/.+|[^\s:]+:\d{1,5})$/.test(sidecarAddress)) {
    throw new DynamosError(ErrorCode.INTERNAL, "sidecar_address must be unix:///path or host:port");
  }
  return { sidecarAddress, exchangeParty: environment.exchange_party ?? "exchange" };
}
