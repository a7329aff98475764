/** A party's sidecar with its adapters: the same in the system's process and in one of its own. */
import { randomUUID } from "node:crypto";
import { createOpenfaasInvoker, type OpenfaasInvokerOptions } from "#adapters/openfaas/invoker";
import { createListedInvoker } from "#adapters/openfaas/listed-invoker";
import { systemClock } from "#adapters/system/clock";
import type { ApprovalKeys } from "#approval/approval-keys";
import type { Broker } from "#ports/broker";
import type { Invoker } from "#ports/invoker";
import type { Knowledge } from "#ports/knowledge";
import type { Log } from "#ports/log";
import type { Metrics } from "#ports/metrics";
import type { Records } from "#ports/records";
import { measuredBroker, measuredInvoker, measuredRecords } from "#sidecar/measured";
import { type Sidecar, startSidecar } from "#sidecar/start-sidecar";
import { openPartyRecords, type RecordFiles, sidecarBuild } from "./party-records.ts";
import type { QueueDepths } from "./queue-depths.ts";

export interface PartySidecarOptions {
  readonly party: string;
  readonly exchangeParty: string;
  /** Absent: a random one. */
  readonly instance?: string;
  /** Closed with the sidecar, also when that does not start. */
  readonly broker: Broker;
  /** Stays open. */
  readonly knowledge: Knowledge;
  readonly approvalKeys: ApprovalKeys;
  /** Where its functions are: behind a gateway, or each at its own address, which a file says. */
  readonly gateway: Pick<OpenfaasInvokerOptions, "gatewayUrl" | "auth"> | { readonly functionsFile: string };
  readonly log: Log;
  /** Where it writes what it does. */
  readonly records: RecordFiles;
  readonly metrics?: { readonly of: Metrics; readonly queues?: QueueDepths };
}

/** @throws DynamosError when the gateway, the broker or the knowledge base does not answer */
export async function startPartySidecar(options: PartySidecarOptions): Promise<Sidecar> {
  const { party, metrics, instance = randomUUID() } = options;
  const plain = invokerOf(options.gateway, party);
  const broker = metrics === undefined ? options.broker : measuredBroker(options.broker, metrics.of);
  const invoker = metrics === undefined ? plain : measuredInvoker(plain, metrics.of);
  let records: Records | undefined;
  const release = async () => {
    await records?.close();
    await invoker.close();
    await broker.close();
  };
  try {
    const build = await sidecarBuild();
    records = measuredRecords(await openPartyRecords({ ...options.records, party, instance, log: options.log }));
    const sidecar = await startSidecar({ ...options, broker, instance, invoker, records, build, clock: systemClock });
    const unwatch = metrics?.of.watch(async () => {
      const { openRequests, openGathers, broker: status } = sidecar.status();
      const queues = (await metrics.queues?.(plain).catch(() => [])) ?? [];
      return { openRequests, openGathers, brokerConnected: status.kind === "connected", queues };
    });
    const stop = async () => {
      unwatch?.();
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

function invokerOf(gateway: PartySidecarOptions["gateway"], party: string): Invoker {
  return "functionsFile" in gateway
    ? createListedInvoker({ file: gateway.functionsFile, party, clock: systemClock })
    : createOpenfaasInvoker({ ...gateway, party, clock: systemClock });
}
