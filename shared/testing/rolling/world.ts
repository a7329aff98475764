/** A whole system of real parts, each of which can be replaced: gateway and functions, two sidecars of each party, a broker. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog } from "#adapters/memory/log";
import { systemClock } from "#adapters/system/clock";
import { approvalKeysIn } from "#approval/make-keys";
import { demoDataSets, writeDemoData } from "#data/demo-data";
import { dataSetKey } from "#domain/knowledge-keys";
import { serveKnowledge } from "#sidecar/grpc-server";
import type { Orchestrator } from "../../../cli/commands/call-orchestrator.ts";
import { demoDocuments } from "../../../cli/demo/documents.ts";
import { startGateway } from "../../../cli/gateway/start-gateway.ts";
import { bundleCommand } from "../../../cli/image/bundle-command.ts";
import { readStack, type StackFunction } from "../../../cli/stack/read-stack.ts";
import { linkDataFolders } from "../../../cli/system/data-folders.ts";
import { openKnowledge } from "../../../cli/system/open-knowledge.ts";
import { seed } from "../../../cli/system/seed.ts";
import { environmentOf } from "../../../cli/system/start-system.ts";
import { makeTemporaryFolder } from "../../../cli/system/temporary-folder.ts";
import type { Bearer } from "../../../cli/tokens/demo-issuer.ts";
import { openTokens } from "../tokens.ts";
import { type Replicas, startReplicas } from "./replicas.ts";
import { openService } from "./service.ts";

export interface RollingWorld {
  readonly functions: readonly StackFunction[];
  /** Puts it in the place of the one that runs, as `faas-cli deploy` does. */
  redeploy(fn: StackFunction): Promise<void>;
  /** All of them. */
  stopFunctions(): Promise<void>;
  /** As the researcher of the demo's agreements. */
  readonly orchestrator: Orchestrator;
  /** As somebody else. */
  orchestratorFor(bearer: Partial<Bearer>): Promise<Orchestrator>;
  /** By party. */
  readonly sidecars: ReadonlyMap<string, Replicas>;
  /** Holds a folder for each party. */
  readonly recordsFolder: string;
  /** @returns the exit codes of all that have run, by party */
  stopSidecars(): Promise<Readonly<Record<string, readonly (number | null)[]>>>;
  close(): Promise<void>;
}

export interface RollingWorldOptions {
  /** Of each party's sidecars in turn: the nodes of a cluster, or one. */
  readonly brokerUrls: readonly string[];
  readonly queueType: "classic" | "quorum";
  /** URLs of an empty etcd, with commas between; absent: the knowledge base is in this process. */
  readonly etcd?: string;
}

export const rollingParties = ["SURF", "UVA", "VU", "exchange"];
const home = resolve(import.meta.dirname, "../../..");
/** More than any query may last. */
const drainMs = 60_000;
const auth = { user: "admin", password: "rolling" };

export async function openRollingWorld(options: RollingWorldOptions): Promise<RollingWorld> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    return await openParts(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function openParts(
  { brokerUrls, queueType, etcd }: RollingWorldOptions,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<RollingWorld> {
  const { path: folder, remove } = await makeTemporaryFolder("run");
  closers.push(remove);
  const [data, recordsFolder] = [join(folder, "made"), join(folder, "records")];
  for (const one of [data, join(folder, "tmp")]) await mkdir(one);
  await writeDemoData(data);
  await linkDataFolders(data, join(folder, "data"), rollingParties);
  const tokens = await openTokens();
  closers.push(tokens.remove);
  const secretsDir = join(folder, "secrets");
  await mkdir(secretsDir, { mode: 0o700 });
  const approvalKeys = await approvalKeysIn(secretsDir);

  const knowledge =
    etcd === undefined ? createMemoryKnowledge({ clock: systemClock }) : openKnowledge(etcd, process.env);
  closers.push(() => knowledge.close());
  const dataSets = demoDataSets.map((value) => ({ key: dataSetKey(value.party, value.name), value }));
  await seed(knowledge, [...demoDocuments, ...dataSets]);
  const knowledgeAddress = etcd ?? `unix://${join(folder, "knowledge.sock")}`;
  if (etcd === undefined) {
    const grpc = await serveKnowledge(knowledge, knowledgeAddress);
    closers.push(() => grpc.stop());
  }

  const service = await openService();
  closers.push(service.close);
  const stack = await readStack(join(home, "stack.yml"));
  const run = { folder, socket: `127.0.0.1:${service.port}`, approvalKeys };
  const gateway = await startGateway({
    stack,
    buildDir: join(home, "build/functions"),
    secretsDir,
    auth,
    port: 0,
    log: createMemoryLog(),
    environmentFor: (fn) => ({
      ...environmentOf(fn, run, { issuer: tokens.issuer, requestsPerMinute: 100_000 }),
      drain_ms: String(drainMs),
    }),
  });
  closers.push(() => gateway.stop());

  const command = join(folder, "image/cli/bin/dynamos.mjs");
  await bundleCommand(home, command);
  const sidecars = new Map<string, Replicas>();
  async function stopSidecars() {
    const codes = [...sidecars].map(async ([party, replicas]) => [party, await replicas.stop()] as const);
    return Object.fromEntries(await Promise.all(codes));
  }
  closers.push(stopSidecars);
  const starting = rollingParties.map(async (party, index) => {
    const replicas = await startReplicas({
      party,
      command,
      options: [
        ...["--knowledge", knowledgeAddress, "--gateway", gateway.url, "--queue-type", queueType],
        ...["--approval-keys", approvalKeys.publicFile, "--records", recordsFolder, "--log-level", "error"],
      ],
      environment: {
        ...process.env,
        DYNAMOS_BROKER: brokerUrls[index % brokerUrls.length],
        OPENFAAS_USER: auth.user,
        OPENFAAS_PASSWORD: auth.password,
      },
      ...(party === "exchange" ? { service } : {}),
    });
    sidecars.set(party, replicas);
  });
  const started = await Promise.allSettled(starting);
  for (const one of started) if (one.status === "rejected") throw one.reason;
  const orchestratorFor = async (bearer: Partial<Bearer>) => ({
    gatewayUrl: gateway.url,
    token: await tokens.tokenOf(bearer),
  });
  return {
    functions: stack.functions,
    redeploy: (fn) => redeploy(gateway.url, fn),
    stopFunctions: () => gateway.stop(),
    orchestrator: await orchestratorFor({}),
    orchestratorFor,
    sidecars,
    recordsFolder,
    stopSidecars,
    close,
  };
}

/** FunctionDeployment of the OpenFaaS provider SDK. */
async function redeploy(gatewayUrl: string, { name, environment, readonlyRootFilesystem, ...fn }: StackFunction) {
  const deployment = { ...fn, service: name, envVars: environment, readOnlyRootFilesystem: readonlyRootFilesystem };
  const response = await fetch(`${gatewayUrl}/system/functions`, {
    method: "PUT",
    headers: {
      "content-type": "application/json",
      authorization: `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString("base64")}`,
    },
    body: JSON.stringify(deployment),
  });
  if (!response.ok) throw new Error(`${name} is not replaced: ${response.status} ${await response.text()}`);
}
