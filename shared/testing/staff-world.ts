/** Real steps over small files of two providers, with gRPC between the exchange's sidecar and an orchestrator's app. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryLog, type MemoryLog } from "#adapters/memory/log";
import { agreementKey, dataSetKey } from "#domain/knowledge-keys";
import { connectSidecar, type SidecarApi } from "#sidecar/client";
import { serveSidecar } from "#sidecar/grpc-server";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import { type App, type AppOptions, createApp } from "../../functions/orchestrator/app.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";
import sqlAggregate from "../../functions/sql-aggregate/handler.ts";
import sqlAlgorithm from "../../functions/sql-algorithm/handler.ts";
import sqlAnonymize from "../../functions/sql-anonymize/handler.ts";
import sqlGraph from "../../functions/sql-graph/handler.ts";
import sqlQuery from "../../functions/sql-query/handler.ts";
import { openTokens, type Tokens } from "./tokens.ts";
import { openWorld, type World } from "./world.ts";

export const staffUser = "researcher@example.org";
export const staffProviders = ["UVA", "VU"] as const;

export interface StaffWorld {
  readonly world: World;
  readonly tokens: Tokens;
  readonly api: SidecarApi;
  readonly log: MemoryLog;
  /** Closed with the world. */
  appOf(options?: Partial<AppOptions>): App;
  /** Content of a provider's table `Staff`: CSV with semicolons, the columns gender and salary unless a test has others. */
  writeStaff(party: string, csv: string): Promise<void>;
  removeStaff(party: string): Promise<void>;
  /** In force at all parties when it resolves. */
  put(key: string, change: (document: Record<string, unknown>) => unknown): Promise<void>;
  /** The user's, in the party's agreement. */
  changeRelation(party: string, change: object): Promise<void>;
  recordsOf(party: string): Record<string, unknown>[];
  close(): Promise<void>;
}

export function staffDataSet(party: string, title = "") {
  return {
    name: "wageGap",
    party,
    type: "csv",
    delimiter: ";",
    tables: [{ name: "Staff", file: fileOf(party), columns: [{ name: "salary", title }] }],
    measure: { column: "salary", groupBy: ["gender"] },
  };
}

function fileOf(party: string): string {
  return `Staff_${party}.csv`;
}

export async function openStaffWorld(): Promise<StaffWorld> {
  const tokens = await openTokens();
  const folder = await mkdtemp(join(tmpdir(), "dynamos-staff-"));
  const home = [sqlQuery, sqlAnonymize, sqlAlgorithm, sqlGraph];
  const world = await openWorld({
    documents: [
      ...demoDocuments,
      ...staffProviders.map((party) => ({ key: dataSetKey(party, "wageGap"), value: staffDataSet(party) })),
    ],
    steps: {
      exchange: [policyEnforcer, archetypeSelector],
      UVA: home,
      VU: home,
      SURF: [sqlAggregate, sqlAlgorithm, sqlGraph],
    },
    environments: { UVA: { data_dir: folder }, VU: { data_dir: folder } },
  });
  const exchange = world.sidecars.get("exchange");
  if (exchange === undefined) throw new RangeError("there is no exchange");
  const server = await serveSidecar(exchange, "127.0.0.1:0");
  const api = connectSidecar(server.address);
  const log = createMemoryLog();
  const apps: App[] = [];

  async function put(key: string, change: (document: Record<string, unknown>) => unknown): Promise<void> {
    const before = JSON.parse((await world.knowledge.get(key))?.value ?? "{}");
    const revision = await world.knowledge.put(key, JSON.stringify(change(before)));
    const { waiting } = await api.applied(revision, 20_000);
    if (waiting.length > 0) throw new Error(`${waiting.join()} did not carry out the change of ${key}`);
  }

  return {
    world,
    tokens,
    api,
    log,
    appOf: (options = {}) => {
      const app = createApp({ api, exchangeParty: "exchange", log, verify: tokens.verify, ...options });
      apps.push(app);
      return app;
    },
    writeStaff: (party, csv) => writeFile(join(folder, fileOf(party)), csv),
    removeStaff: (party) => rm(join(folder, fileOf(party))),
    put,
    changeRelation: (party, change) =>
      put(agreementKey(party), (agreement) => {
        const { [staffUser]: one } = agreement.relations as Record<string, object>;
        return { ...agreement, relations: { [staffUser]: { ...one, ...change } } };
      }),
    recordsOf: (party) => (world.records.get(party)?.lines ?? []).map((line) => JSON.parse(line)),
    close: async () => {
      for (const app of apps) await app.close();
      api.close();
      await server.stop();
      await world.close();
      await tokens.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
