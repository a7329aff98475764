/** A function that is an HTTP service of its own, without an envelope: the orchestrator. */
import type { RequestListener } from "node:http";
import type { Environment } from "./config.ts";

export interface StartedHttpFunction {
  readonly listener: RequestListener;
  /** Shown by `/_/ready`; absent: ready as soon as started. */
  readonly isReady?: () => boolean;
  /** Called once, when the process is to stop: calls in flight that have not ended in this time are cut. */
  readonly stopping?: (drainMs: number) => void;
  /** Called once, after the calls in flight have ended. */
  close(): Promise<void>;
}

export interface HttpFunction {
  readonly name: string;
  /** Reads its config and connects. A rejection stops the process. */
  readonly start: (environment: Environment) => Promise<StartedHttpFunction>;
}

export function defineHttpFunction(definition: HttpFunction): HttpFunction {
  return definition;
}
