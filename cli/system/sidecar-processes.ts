/** The sidecars of all parties of a system on one machine, each a process of its own; they share nothing but the broker. */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { TlsFiles } from "#adapters/amqp/tls";
import { serveKnowledge } from "#sidecar/grpc-server";
import { environmentOfTls } from "../commands/broker-tls.ts";
import { SidecarProcess } from "./sidecar-process.ts";
import { type Sidecars, type SidecarsOptions, settled } from "./sidecars.ts";

const main = resolve(dirname(fileURLToPath(import.meta.url)), "../main.ts");

export interface SidecarProcessesOptions extends SidecarsOptions {
  /** `amqp://…`. */
  readonly brokerUrl: string;
  readonly brokerTls: TlsFiles | undefined;
  /** Absent: of the environment. */
  readonly queueType: string | undefined;
  /** Of an etcd, which each process asks by itself; absent: this process has the knowledge base. */
  readonly knowledgeAddress?: string | undefined;
  /** For the sockets. */
  readonly folder: string;
  readonly logLevel: string;
}

export async function startSidecarProcesses(options: SidecarProcessesOptions): Promise<Sidecars> {
  const { parties, folder, log } = options;
  const knowledgeAddress = `unix://${join(folder, "knowledge.sock")}`;
  const grpc = await serveKnowledge(options.knowledge, knowledgeAddress);
  const processes = new Map(
    parties.map((party) => [
      party,
      new SidecarProcess({
        party,
        command: commandOf(options, party, options.knowledgeAddress ?? knowledgeAddress),
        // Not as an argument: it may hold a password, and everybody sees those.
        environment: {
          ...process.env,
          DYNAMOS_BROKER: options.brokerUrl,
          OPENFAAS_USER: options.gatewayAuth?.user,
          OPENFAAS_PASSWORD: options.gatewayAuth?.password,
          ...environmentOfTls(options.brokerTls),
        },
        log,
      }),
    ]),
  );
  const stop = async () => {
    // Together: the exchange's tells the others which queries nobody waits for, and they listen to the end.
    await Promise.all([...processes.values()].map((one) => one.stop()));
    await grpc.stop();
  };
  try {
    await settled([...processes.values()].map((one) => one.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: (party) => processes.get(party)?.pid,
    metricsUrls: () => [...processes.values()].flatMap(({ metricsUrl }) => metricsUrl ?? []),
    stopOne: async (party) => processes.get(party)?.stop(),
    startOne: async (party) => processes.get(party)?.start(),
    stop,
  };
}

function commandOf(options: SidecarProcessesOptions, party: string, knowledge: string): string[] {
  const own = party === options.exchangeParty ? ["--listen", options.address] : [];
  const queues = options.queueType === undefined ? [] : ["--queue-type", options.queueType];
  return [
    // TypeScript as it is: also where this process was started with more.
    ...["--import", import.meta.resolve("tsx"), main, "sidecar", "--party", party],
    ...["--exchange-party", options.exchangeParty, "--knowledge", knowledge, "--gateway", options.gatewayUrl],
    ...["--approval-keys", options.approvalKeysFile, "--records", options.recordsFolder],
    ...["--metrics-port", "0", "--drain", "0", "--log-level", options.logLevel, ...own, ...queues],
  ];
}
