/** The whole system with its knowledge base in etcd, which each party's sidecar asks with a user of its own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectEtcd } from "#adapters/etcd/knowledge";
import { createMemoryLog } from "#adapters/memory/log";
import { demoDataSets, writeDemoData } from "#data/demo-data";
import { agreementKey, dataSetKey } from "#domain/knowledge-keys";
import { type Etcd, etcdIsThere, startEtcd } from "#testing/etcd";
import { openTokens, type Tokens } from "#testing/tokens";
import { callOrchestrator } from "../commands/call-orchestrator.ts";
import { demoDocuments } from "../demo/documents.ts";
import { applyUsers } from "../knowledge/apply-users.ts";
import { etcdRights } from "../knowledge/etcd-rights.ts";
import { home, partiesOf } from "../stack/parties.ts";
import { readStack } from "../stack/read-stack.ts";
import { type System, startSystem } from "./start-system.ts";

const sql = "SELECT p.Geslacht, s.Salschal FROM Personen p JOIN Aanstellingen s USING (Unieknr, Peildat)";

describe.skipIf(!etcdIsThere("the whole system over it"))("the system over etcd", () => {
  let etcd: Etcd;
  let folder: string;
  let tokens: Tokens;
  let system: System;

  async function start(): Promise<System> {
    const dataSets = demoDataSets.map((value) => ({ key: dataSetKey(value.party, value.name), value }));
    return startSystem({
      stack: await readStack(join(home, "stack.yml")),
      buildDir: join(home, "build/functions"),
      port: 0,
      broker: "memory",
      sidecars: "in-process",
      issuer: tokens.issuer,
      knowledge: etcd.url,
      knowledgeOf: (party) => {
        const name = party.toLowerCase();
        return connectEtcd({ endpoints: [etcd.url], namespace: "", user: { name, passwordFile: join(folder, name) } });
      },
      documents: [...demoDocuments, ...dataSets],
      dataDir: join(folder, "data"),
      log: createMemoryLog(),
      logLevel: "error",
      onProgress: () => {},
    });
  }

  /** @param name of an agreement, for its steward */
  async function caller(name?: string) {
    const bearer = name === undefined ? undefined : { roles: ["steward"], party: name };
    return { gatewayUrl: system.url, token: await tokens.tokenOf(bearer) };
  }

  const query = async (providers: readonly string[]) =>
    callOrchestrator(await caller(), "POST", "queries", { body: { sql, providers, algorithm: "average" } });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dynamos-etcd-system-"));
    await writeDemoData(join(folder, "data"));
    tokens = await openTokens();
    etcd = await startEtcd({ more: ["--bcrypt-cost", "4"] });
    const names = partiesOf(await readStack(join(home, "stack.yml")));
    const parties = names.map((name) => ({ name, roles: [name === "exchange" ? "exchange" : "dataProvider"] }));
    const rights = etcdRights(parties, "");
    const passwords = new Map(rights.map(({ user }) => [user, `secret-of-${user}`]));
    for (const [user, password] of passwords) await writeFile(join(folder, user), password, { mode: 0o600 });
    await applyUsers({ endpoints: [etcd.url] }, rights, passwords);
    await etcd.control("user", "add", "root:secret");
    await etcd.control("user", "grant-role", "root", "root");
    await etcd.control("auth", "enable");
    system = await start();
  }, 120_000);

  afterAll(async () => {
    await system?.stop();
    await etcd?.stop();
    await tokens?.remove();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it("answers a query, and refuses it from the answer of a PUT on, at every party", async () => {
    const before = await query(["UVA", "VU"]);
    expect(before.status).toBe(200);
    const steward = await caller("UVA");
    const { body, headers } = await callOrchestrator(steward, "GET", "agreements/UVA");
    const { revision: _, ...agreement } = body as Record<string, unknown>;
    const put = await callOrchestrator(steward, "PUT", "agreements/UVA", {
      body: { ...agreement, relations: {} },
      headers: { "if-match": headers.get("etag") ?? "" },
    });
    expect(put.status).toBe(200);
    expect(put.headers.get("dynamos-applied")).toBe("SURF, UVA, VU, exchange");
    expect(put.headers.get("dynamos-waiting")).toBeNull();
    expect((await query(["UVA"])).body).toMatchObject({ code: "DENIED" });
  }, 60_000);

  it("keeps what was changed when it is stopped and started again", async () => {
    await system.stop();
    system = await start();
    expect((await query(["UVA"])).body).toMatchObject({ code: "DENIED" });
    expect((await query(["VU"])).status).toBe(200);
    const kept = await system.knowledge.get(agreementKey("UVA"));
    expect(JSON.parse(kept?.value ?? "{}")).toMatchObject({ relations: {} });
  }, 120_000);
});
