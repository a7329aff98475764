/** The sidecars of all parties of a system on one machine, in its own process. */
import { readApprovalKeys } from "#approval/approval-keys";
import type { Broker } from "#ports/broker";
import type { Knowledge } from "#ports/knowledge";
import type { Log } from "#ports/log";
import { serveSidecar } from "#sidecar/grpc-server";
import type { Sidecar } from "#sidecar/start-sidecar";
import { type PartySidecarOptions, startPartySidecar } from "./party-sidecar.ts";
import { stoppableRequests } from "./stoppable-requests.ts";

export interface SidecarsOptions {
  readonly parties: readonly string[];
  readonly exchangeParty: string;
  readonly knowledge: Knowledge;
  /** Of a party, where each has its own way to it; absent: all share the one. */
  readonly knowledgeOf?: ((party: string) => Knowledge) | undefined;
  readonly gatewayUrl: string;
  /** Where the gateway asks for it. */
  readonly gatewayAuth?: { readonly user: string; readonly password: string } | undefined;
  /** JWKS of what the policy step signs with. */
  readonly approvalKeysFile: string;
  /** Of the exchange's sidecar, for the functions beside it: `unix:///path`. */
  readonly address: string;
  /** Holds a folder for each party's record. */
  readonly recordsFolder: string;
  readonly log: Log;
}

export interface InProcessOptions extends SidecarsOptions {
  connect(party: string): Promise<Broker>;
  metrics(party: string): NonNullable<PartySidecarOptions["metrics"]>;
}

export interface Sidecars {
  /** Of a party's process; undefined where it has none of its own, or it is being started again. */
  pid(party: string): number | undefined;
  /** Of those that are processes of their own: where their metrics are. */
  metricsUrls(): readonly string[];
  /** As if its machine were gone. */
  stopOne(party: string): Promise<void>;
  /** One that was stopped; in one process not the exchange's, whom the functions beside it call. */
  startOne(party: string): Promise<void>;
  /** Ends what is asked with CANCELLED, then all of them. */
  stop(): Promise<void>;
}

export async function startSidecars(options: InProcessOptions): Promise<Sidecars> {
  const { parties, exchangeParty, knowledge, gatewayUrl, gatewayAuth: auth, log, recordsFolder } = options;
  const approvalKeys = await readApprovalKeys(options.approvalKeysFile);
  const sidecars = new Map<string, Sidecar>();
  const stopAll = async () => {
    await Promise.all([...sidecars.values()].map((sidecar) => sidecar.stop()));
  };
  const startOne = async (party: string) => {
    const broker = await options.connect(party);
    const sidecar = await startPartySidecar({
      party,
      exchangeParty,
      broker,
      knowledge: options.knowledgeOf?.(party) ?? knowledge,
      approvalKeys,
      gateway: { gatewayUrl, ...(auth === undefined ? {} : { auth }) },
      log,
      records: { folder: recordsFolder },
      metrics: options.metrics(party),
    });
    sidecars.set(party, sidecar);
  };
  try {
    await settled(parties.map(startOne));
    const requests = stoppableRequests(sidecars.get(exchangeParty) as Sidecar);
    const grpc = await serveSidecar(requests.sidecar, options.address);
    return {
      pid: () => undefined,
      metricsUrls: () => [],
      stopOne: async (party) => {
        const sidecar = sidecars.get(party);
        sidecars.delete(party);
        await sidecar?.stop();
      },
      startOne,
      stop: async () => {
        await requests.end();
        await stopAll();
        await grpc.stop();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** Waits for all of them, also after a failure: none may come up behind the back of who cleans up. */
export async function settled(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
