/** What `up` and `demo` start, from their flags. */
import { join, resolve } from "node:path";
import { jsonLog } from "#adapters/system/log";
import { demoDataSets, writeDemoData } from "#data/demo-data";
import { dataSetKey } from "#domain/knowledge-keys";
import type { LogLevel } from "#ports/log";
import { demoDocuments } from "../demo/documents.ts";
import type { Credentials } from "../gateway/basic-auth.ts";
import { bundleFile } from "../image/bundle-file.ts";
import { home } from "../stack/parties.ts";
import { readStack } from "../stack/read-stack.ts";
import { documentsOfFolder, type SeedDocument } from "../system/seed.ts";
import { type System, type SystemOptions, startSystem } from "../system/start-system.ts";
import { makeTemporaryFolder } from "../system/temporary-folder.ts";
import { openDemoIssuer } from "../tokens/demo-issuer.ts";
import { stateFolder } from "../tokens/state-folder.ts";
import { type BrokerTlsFlags, tlsOf } from "./broker-tls.ts";
import { wholeNumber } from "./whole-number.ts";

export interface SystemFlags extends BrokerTlsFlags {
  readonly port: string;
  readonly broker: string;
  /** Absent: `in-process`. */
  readonly sidecars?: string;
  /** Absent: `memory`. */
  readonly knowledge?: string;
  /** Absent: of the environment. */
  readonly queueType?: string;
  readonly datasets?: string;
  readonly stack?: string;
  /** Absent: true. */
  readonly deploy?: boolean;
  /** Folder with the pair that signs approvals. */
  readonly keys?: string;
  /** Folder; absent: of this run, and gone with it. */
  readonly records?: string;
  readonly logLevel: LogLevel;
  /** For measurements, whose one subject asks more than any other. */
  readonly requestsPerMinute?: number;
}

export interface RunningSystem {
  readonly system: System;
  stop(): Promise<void>;
}

export async function startFromFlags(flags: SystemFlags, onProgress: (stage: string) => void): Promise<RunningSystem> {
  if (bundleFile !== undefined) {
    throw new Error("this is the command by itself, without the functions: the whole system starts from a checkout");
  }
  const stack = await readStack(flags.stack ?? join(home, "stack.yml"));
  const gatewayAuth = gatewayAuthOf(process.env);
  if (flags.deploy === false) checkDeployable(flags, gatewayAuth);
  const issuer = await openDemoIssuer(stateFolder());
  const data = await dataOf(flags);
  try {
    const system = await startSystem({
      stack,
      deploy: flags.deploy,
      gatewayAuth,
      keysFolder: flags.keys === undefined ? undefined : resolve(flags.keys),
      buildDir: join(home, "build/functions"),
      port: portOf(flags.port),
      broker: flags.broker,
      brokerTls: tlsOf(flags),
      knowledge: flags.knowledge,
      queueType: flags.queueType,
      sidecars: sidecarsOf(flags),
      issuer,
      requestsPerMinute: flags.requestsPerMinute,
      documents: data.documents,
      dataDir: data.folder,
      recordsFolder: flags.records === undefined ? undefined : resolve(flags.records),
      log: jsonLog({ level: flags.logLevel }),
      logLevel: flags.logLevel,
      onProgress,
    });
    const stop = async () => {
      await system.stop();
      await data.remove();
    };
    return { system, stop };
  } catch (error) {
    await data.remove();
    throw error;
  }
}

/** As `dynamos sidecar` reads it. */
function gatewayAuthOf({
  OPENFAAS_USER: user,
  OPENFAAS_PASSWORD: password,
}: NodeJS.ProcessEnv): Credentials | undefined {
  return password === undefined || password === "" ? undefined : { user: user || "admin", password };
}

function checkDeployable({ keys }: SystemFlags, auth: Credentials | undefined): void {
  if (auth === undefined) {
    throw new Error("--no-deploy needs a password in OPENFAAS_PASSWORD, with which faas-cli logs in");
  }
  if (keys === undefined) {
    throw new Error("--no-deploy needs --keys DIR, whose two files you give to the functions as secrets");
  }
}

interface Data {
  readonly folder: string;
  readonly documents: readonly SeedDocument[];
  remove(): Promise<void>;
}

async function dataOf({ datasets }: SystemFlags): Promise<Data> {
  if (datasets !== undefined) {
    const folder = resolve(datasets);
    return { folder, documents: await documentsOfFolder(folder, demoDocuments), remove: async () => {} };
  }
  const { path: folder, remove } = await makeTemporaryFolder("data");
  await writeDemoData(folder);
  const dataSets = demoDataSets.map((value) => ({ key: dataSetKey(value.party, value.name), value }));
  return { folder, documents: [...demoDocuments, ...dataSets], remove };
}

function sidecarsOf({ sidecars = "in-process", broker }: SystemFlags): SystemOptions["sidecars"] {
  if (sidecars !== "in-process" && sidecars !== "processes") {
    throw new Error(`--sidecars ${sidecars}: must be in-process or processes`);
  }
  if (sidecars === "processes" && broker === "memory") {
    throw new Error(
      "--sidecars processes needs --broker amqp://…: the broker in this process is for this process alone",
    );
  }
  return sidecars;
}

function portOf(text: string): number {
  return wholeNumber("--port", text, { min: 0, max: 65_535 });
}
