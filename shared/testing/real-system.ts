/** The whole system as a user meets it, over the public data: its callers, and its documents to change and to restore. */
import { join, resolve } from "node:path";
import { createMemoryLog } from "#adapters/memory/log";
import { type Called, callOrchestrator, type Orchestrator } from "../../cli/commands/call-orchestrator.ts";
import { demoDocuments } from "../../cli/demo/documents.ts";
import { readStack, type Stack } from "../../cli/stack/read-stack.ts";
import { documentsOfFolder } from "../../cli/system/seed.ts";
import { type System, type SystemOptions, startSystem } from "../../cli/system/start-system.ts";
import { openTokens, type Tokens } from "./tokens.ts";
import { wageGapData } from "./wage-gap-data.ts";

type Document = Readonly<Record<string, unknown>>;

export interface RealSystem {
  readonly system: System;
  readonly tokens: Tokens;
  /** By the researcher of the agreements. */
  readonly orchestrator: Orchestrator;
  /** As seeded. @param kind `agreements` */
  original(kind: string, name: string): Document;
  /** By who may: the steward of an agreement, an operator of anything else. */
  call(method: string, kind: string, name: string, body?: unknown): Promise<Called>;
  /** Over the revision that is there. */
  put(kind: string, name: string, value: unknown): Promise<Called>;
  /** Of the agreement as it was seeded. @throws Error when it is not taken */
  changeAgreement(name: string, change: (agreement: Document) => unknown): Promise<Called>;
  stop(): Promise<void>;
}

const home = resolve(import.meta.dirname, "../..");

export type RealSystemOptions = Pick<SystemOptions, "broker" | "sidecars" | "recordsFolder"> &
  Partial<Pick<SystemOptions, "dataDir" | "gatewayAuth">> & { readonly changeStack?: (stack: Stack) => Stack };

export async function openRealSystem({
  changeStack = (stack) => stack,
  ...options
}: RealSystemOptions): Promise<RealSystem> {
  const documents = await documentsOfFolder(wageGapData, demoDocuments);
  const seeded = new Map(documents.map(({ key, value }) => [key, value as Document]));
  const tokens = await openTokens();
  const system = await startSystem({
    dataDir: wageGapData,
    ...options,
    issuer: tokens.issuer,
    stack: changeStack(await readStack(join(home, "stack.yml"))),
    buildDir: join(home, "build/functions"),
    port: 0,
    logLevel: "error",
    documents,
    log: createMemoryLog(),
    onProgress: () => {},
  }).catch(async (error: unknown) => {
    await tokens.remove();
    throw error;
  });

  async function callerOf(kind: string, name: string): Promise<Orchestrator> {
    const bearer = kind === "agreements" ? { roles: ["steward"], party: name } : { roles: ["operator"] };
    return { gatewayUrl: system.url, token: await tokens.tokenOf(bearer) };
  }

  const call: RealSystem["call"] = async (method, kind, name, body) =>
    callOrchestrator(await callerOf(kind, name), method, `${kind}/${name}`, body === undefined ? {} : { body });

  const put: RealSystem["put"] = async (kind, name, body) => {
    const caller = await callerOf(kind, name);
    const { headers } = await callOrchestrator(caller, "GET", `${kind}/${name}`);
    const ifMatch = { "if-match": headers.get("etag") ?? "" };
    return callOrchestrator(caller, "PUT", `${kind}/${name}`, { body, headers: ifMatch });
  };

  const original: RealSystem["original"] = (kind, name) => {
    const document = seeded.get(`/${kind}/${name}`);
    if (document === undefined) throw new RangeError(`nothing is seeded as ${kind}/${name}`);
    return structuredClone(document);
  };

  return {
    system,
    tokens,
    orchestrator: { gatewayUrl: system.url, token: await tokens.tokenOf() },
    original,
    call,
    put,
    changeAgreement: async (name, change) => {
      const answer = await put("agreements", name, change(original("agreements", name)));
      if (answer.status === 200) return answer;
      throw new Error(`the agreement ${name} was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
    },
    stop: async () => {
      await system.stop();
      await tokens.remove();
    },
  };
}
