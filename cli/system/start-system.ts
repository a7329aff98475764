/** The whole system on one machine: gateway and functions, broker, knowledge base, and a sidecar for each party. */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connectAmqp } from "#adapters/amqp/broker";
import type { TlsFiles } from "#adapters/amqp/tls";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createPrometheus } from "#adapters/prometheus/metrics";
import { systemClock } from "#adapters/system/clock";
import { type ApprovalKeyFiles, approvalKeyFiles, approvalKeysIn } from "#approval/make-keys";
import { stepTopic } from "#domain/route";
import type { Broker } from "#ports/broker";
import type { Knowledge } from "#ports/knowledge";
import type { Log, LogLevel } from "#ports/log";
import type { Credentials } from "../gateway/basic-auth.ts";
import { type Gateway, startGateway } from "../gateway/start-gateway.ts";
import { exchangeParty, partiesOf, partyOf } from "../stack/parties.ts";
import type { Stack, StackFunction } from "../stack/read-stack.ts";
import type { DemoIssuer } from "../tokens/demo-issuer.ts";
import { linkDataFolders } from "./data-folders.ts";
import { withOthers } from "./metrics-page.ts";
import { isEtcd, openKnowledge } from "./open-knowledge.ts";
import { queueDepths } from "./queue-depths.ts";
import { queueSettings } from "./queue-settings.ts";
import { type SeedDocument, seed } from "./seed.ts";
import { startSidecarProcesses } from "./sidecar-processes.ts";
import { type Sidecars, startSidecars } from "./sidecars.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";

export interface SystemOptions {
  readonly stack: Stack;
  /** false: the gateway starts with no functions and no secrets, for faas-cli to deploy them. */
  readonly deploy?: boolean | undefined;
  /** For the gateway's /system/; absent: nobody may deploy. */
  readonly gatewayAuth?: Credentials | undefined;
  /** With the pair that signs approvals, made where it is not there; absent: of this run. */
  readonly keysFolder?: string | undefined;
  /** Holds the functions' bundles. */
  readonly buildDir: string;
  /** 0: a free one. */
  readonly port: number;
  /** `memory`, or the URL of a RabbitMQ. */
  readonly broker: string;
  /** For `amqps://`. */
  readonly brokerTls?: TlsFiles | undefined;
  /** `memory`, or `http(s)://HOST:PORT[,…]` of an etcd; absent: memory. */
  readonly knowledge?: string | undefined;
  /** A party's way to the etcd, in this process; absent: with what the environment says. */
  readonly knowledgeOf?: ((party: string) => Knowledge) | undefined;
  /** `classic` or `quorum`; absent: of the environment. */
  readonly queueType?: string | undefined;
  /** `processes`: one for each party, which needs a RabbitMQ. */
  readonly sidecars: "in-process" | "processes";
  /** Whose tokens the orchestrator believes. */
  readonly issuer: DemoIssuer;
  /** Of one subject; absent: the limit of production. */
  readonly requestsPerMinute?: number | undefined;
  readonly documents: readonly SeedDocument[];
  /** Folder with the parties' data files. */
  readonly dataDir: string;
  /** For the parties' records; absent: in the folder of this run, and gone with it. */
  readonly recordsFolder?: string | undefined;
  readonly log: Log;
  /** Of the processes that this one starts. */
  readonly logLevel: LogLevel;
  /** Called at each stage, for people who wait. */
  readonly onProgress: (stage: string) => void;
}

export interface System {
  readonly url: string;
  readonly issuer: DemoIssuer;
  readonly gateway: Gateway;
  readonly knowledge: Knowledge;
  readonly sidecars: Omit<Sidecars, "stop">;
  /** Ends every process and removes every file of this run. */
  stop(): Promise<void>;
}

/** For a cancel to reach every sidecar: a function that goes first is one to try again. */
const cancelMs = 100;

export async function startSystem(options: SystemOptions): Promise<System> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) {
      await close().catch((error: unknown) => {
        options.log.log("warn", "a part did not stop cleanly", { reason: error instanceof Error ? error.message : "" });
      });
    }
  };
  try {
    return await startParts(options, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  options: SystemOptions,
  closers: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<System> {
  const { stack, log, onProgress, deploy = true } = options;
  const parties = partiesOf(stack);
  if (!parties.includes(exchangeParty)) throw new RangeError(`stack.yml has no function of the party ${exchangeParty}`);
  const { path: folder, remove } = await makeTemporaryFolder("run");
  closers.push(remove);
  await mkdir(join(folder, "tmp"));
  await linkDataFolders(options.dataDir, join(folder, "data"), parties);

  const secretsDir = join(folder, "secrets");
  await mkdir(secretsDir, { mode: 0o700 });
  const approvalKeys = await approvalKeysIn(options.keysFolder ?? folder);
  // Where functions find them: put there now, or by faas-cli.
  const secretFiles = approvalKeyFiles(secretsDir);
  if (deploy) {
    await copyFile(approvalKeys.privateFile, secretFiles.privateFile);
    await copyFile(approvalKeys.publicFile, secretFiles.publicFile);
  }
  const socket = `unix://${join(folder, "sidecar.sock")}`;
  const functions = deploy ? stack.functions : [];
  onProgress(deploy ? `starting ${functions.length} functions` : "starting a gateway without functions");
  const prometheus = createPrometheus();
  let urls: () => readonly string[] = () => [];
  const gateway = await startGateway({
    metrics: withOthers(prometheus, () => urls()),
    stack: { ...stack, functions },
    buildDir: options.buildDir,
    secretsDir,
    ...(options.gatewayAuth === undefined ? {} : { auth: options.gatewayAuth }),
    port: options.port,
    log,
    environmentFor: (fn) => environmentOf(fn, { folder, socket, approvalKeys: secretFiles }, options),
  });
  closers.push(() => gateway.stop());

  const { knowledge, knowledgeOf } = knowledgeFor(options, closers);
  await seed(knowledge, options.documents);

  onProgress(`starting the sidecars of ${parties.join(", ")}`);
  const common = {
    parties,
    exchangeParty,
    knowledge,
    knowledgeOf,
    gatewayUrl: gateway.url,
    gatewayAuth: options.gatewayAuth,
    approvalKeysFile: approvalKeys.publicFile,
    address: socket,
    recordsFolder: options.recordsFolder ?? join(folder, "records"),
    log,
  };
  const sidecars =
    options.sidecars === "processes"
      ? await startSidecarProcesses({
          ...common,
          brokerUrl: options.broker,
          brokerTls: options.brokerTls,
          queueType: options.queueType,
          knowledgeAddress: knowledgeOf === undefined ? undefined : options.knowledge,
          folder,
          logLevel: options.logLevel,
        })
      : await startSidecars({
          ...common,
          connect: brokerConnector(options),
          metrics: (party) => ({
            of: prometheus.forParty(party),
            ...(options.broker === "memory" ? {} : { queues: queueDepths(options.broker, party, options.brokerTls) }),
          }),
        });
  urls = sidecars.metricsUrls;
  // Together: with its query cancelled a hop ends, and with its hop a function.
  closers.push(async () => {
    await Promise.all([sidecars.stop(), wait(cancelMs).then(() => gateway.stop())]);
  });
  return { url: gateway.url, issuer: options.issuer, gateway, knowledge, sidecars, stop };
}

/** Of an etcd each party has its own connections, as it would on a machine of its own. */
function knowledgeFor(
  { knowledge: address = "memory", knowledgeOf }: SystemOptions,
  closers: (() => Promise<void>)[],
): { readonly knowledge: Knowledge; readonly knowledgeOf: SystemOptions["knowledgeOf"] } {
  if (address !== "memory" && !isEtcd(address)) {
    throw new RangeError(`--knowledge ${address}: must be http(s)://HOST:PORT of an etcd, or memory`);
  }
  const open = knowledgeOf ?? (() => openKnowledge(address, process.env));
  const opened = new Map<string, Knowledge>();
  const of = (party: string) => {
    const one = opened.get(party) ?? open(party);
    opened.set(party, one);
    return one;
  };
  closers.push(async () => {
    await Promise.all([...opened.values()].map((one) => one.close()));
  });
  return { knowledge: of(exchangeParty), knowledgeOf: address === "memory" ? undefined : of };
}

function brokerConnector({
  broker: url,
  brokerTls: tls,
  queueType,
  log,
}: SystemOptions): (party: string) => Promise<Broker> {
  const settings = queueSettings(process.env, queueType);
  if (url !== "memory") {
    return (party) => connectAmqp({ url, ...(tls === undefined ? {} : { tls }), party, log, ...settings });
  }
  const hub = createMemoryExchange(systemClock, settings.queueLimits);
  return async (party) => hub.connect({ party });
}

/** What lasts as long as one run. */
interface Run {
  readonly folder: string;
  /** Where the exchange's sidecar is for the functions beside it. */
  readonly socket: string;
  readonly approvalKeys: ApprovalKeyFiles;
}

export function environmentOf(
  fn: StackFunction,
  { folder, socket, approvalKeys }: Run,
  { issuer, requestsPerMinute }: Pick<SystemOptions, "issuer" | "requestsPerMinute">,
): Record<string, string> {
  const party = partyOf(fn);
  // Whatever a function leaves there goes with this run.
  const temporary = { TMPDIR: join(folder, "tmp") };
  return party === exchangeParty
    ? {
        ...temporary,
        ...(signsApprovals(fn) ? { approval_key_file: approvalKeys.privateFile } : {}),
        sidecar_address: socket,
        token_issuer: issuer.issuer,
        token_audience: issuer.audience,
        token_jwks_url: "",
        token_jwks_file: issuer.jwksFile,
        token_claims: "",
        ...(requestsPerMinute === undefined ? {} : { rate_limit_per_minute: String(requestsPerMinute) }),
      }
    : {
        ...temporary,
        approval_keys_file: approvalKeys.publicFile,
        data_dir: join(folder, "data", party),
        cache_dir: join(folder, "cache", party),
      };
}

/** No other function learns where that key is, whoever it belongs to. */
function signsApprovals({ annotations }: StackFunction): boolean {
  return annotations.topic === stepTopic(exchangeParty, "policy-enforcer");
}
