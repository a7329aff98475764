/** A party's sidecar with its adapters: the same in the system's process and in one of its own. */
import { randomUUID } from "node:crypto";
import { createOpenfaasInvoker, type OpenfaasInvokerOptions } from "#adapters/openfaas/invoker";
import { systemClock } from "#adapters/system/clock";
import type { Broker } from "#ports/broker";
import type { Knowledge } from "#ports/knowledge";
import type { Log } from "#ports/log";
import { type Sidecar, startSidecar } from "#sidecar/start-sidecar";

export interface PartySidecarOptions {
  readonly party: string;
  readonly exchangeParty: string;
  /** Absent: a random one. */
  readonly instance?: string;
  /** Closed with the sidecar, also when that does not start. */
  readonly broker: Broker;
  /** Stays open. */
  readonly knowledge: Knowledge;
  readonly gateway: Pick<OpenfaasInvokerOptions, "gatewayUrl" | "auth">;
  readonly log: Log;
}

/** @throws DynamosError when the gateway, the broker or the knowledge base does not answer */
export async function startPartySidecar(options: PartySidecarOptions): Promise<Sidecar> {
  const { party, broker, instance = randomUUID() } = options;
  const invoker = createOpenfaasInvoker({ ...options.gateway, party, clock: systemClock });
  const release = async () => {
    await invoker.close();
    await broker.close();
  };
  try {
    const sidecar = await startSidecar({ ...options, instance, invoker, clock: systemClock });
    const stop = async () => {
      try {
        await sidecar.stop();
      } finally {
        await release();
      }
    };
    return { ...sidecar, stop };
  } catch (error) {
    await release();
    throw error;
  }
}
