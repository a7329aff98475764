/** The whole system with Go's HTTP library in front of each function, as OpenFaaS' gateway and of-watchdog are. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { putBehindGo } from "#testing/half-duplex/behind-go";
import { buildGoProxies, findGo } from "#testing/half-duplex/go-proxy";
import { openTokens } from "#testing/tokens";
import { downloadRows } from "../bench/download-rows.ts";
import { idSum, makeLargeTables, rowsQuery } from "../bench/large-data.ts";
import { callOrchestrator, type Orchestrator } from "../commands/call-orchestrator.ts";
import { home } from "../stack/parties.ts";
import { readStack } from "../stack/read-stack.ts";
import { startSystem } from "./start-system.ts";

const go = findGo("no system runs behind its HTTP library");
const sizes = [4, 30_000, 200_000];
const closers: (() => Promise<unknown>)[] = [];
let orchestrator: Orchestrator;

describe.skipIf(go === undefined)("behind Go's proxies", () => {
  beforeAll(async () => {
    const proxies = await buildGoProxies(go ?? "");
    closers.push(proxies.remove);
    const buildDir = await mkdtemp(join(tmpdir(), "dynamos-behind-go-"));
    closers.push(() => rm(buildDir, { recursive: true, force: true }));
    await putBehindGo(join(home, "build/functions"), buildDir, proxies.program);
    const data = await makeLargeTables(sizes);
    closers.push(data.remove);
    const tokens = await openTokens();
    closers.push(tokens.remove);
    const system = await startSystem({
      stack: await readStack(join(home, "stack.yml")),
      buildDir,
      port: 0,
      broker: "memory",
      sidecars: "in-process",
      issuer: tokens.issuer,
      documents: data.documents,
      dataDir: data.folder,
      log: createMemoryLog(),
      logLevel: "error",
      onProgress: () => {},
    });
    closers.push(() => system.stop());
    orchestrator = { gatewayUrl: system.url, token: await tokens.tokenOf() };
  }, 300_000);
  afterAll(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  }, 60_000);

  it.each(sizes.flatMap((rows) => (["computeToData", "dataThroughTtp"] as const).map((way) => [rows, way] as const)))(
    "%i rows come whole, by %s",
    { timeout: 120_000 },
    async (rows, archetype) => {
      const { rows: came, idSum: sum } = await downloadRows(orchestrator, rowsQuery(archetype, rows));
      expect([came, sum]).toEqual([rows, idSum(rows, archetype)]);
    },
  );

  it.each(["computeToData", "dataThroughTtp"] as const)(
    "an answer whose first rows come first is whole, by %s",
    { timeout: 120_000 },
    async (archetype) => {
      const query = rowsQuery(archetype, 200_000);
      const { rows, idSum: sum } = await downloadRows(orchestrator, query, "first-rows");
      expect([rows, sum]).toEqual([200_000, idSum(200_000, archetype)]);
    },
  );

  it("an average over all rows of both providers is computed", { timeout: 120_000 }, async () => {
    const body = { ...rowsQuery("dataThroughTtp", 200_000), algorithm: { name: "average", column: "id" } };
    const { status, body: answer } = await callOrchestrator(orchestrator, "POST", "queries", { body });
    expect([status, JSON.stringify(answer)]).toEqual([200, expect.stringContaining("50000.5")]);
  });

  it("a query that is refused is refused, and says why", async () => {
    const body = { providers: ["VU"], sql: "SELECT * FROM duckdb_settings()" };
    const { status, body: answer } = await callOrchestrator(orchestrator, "POST", "queries", { body });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(answer).toMatchObject({ code: expect.any(String), detail: expect.any(String) });
  });
});
