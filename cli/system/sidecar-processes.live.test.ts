import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { demoDataSets, writeDemoData } from "#data/demo-data";
import { dataSetKey } from "#domain/knowledge-keys";
import { type RabbitMq, startRabbitmq } from "#testing/rabbitmq";
import { openTokens, type Tokens } from "#testing/tokens";
import { ask } from "../commands/ask.ts";
import { demoDocuments } from "../demo/documents.ts";
import { readStack } from "../stack/read-stack.ts";
import { type System, startSystem } from "./start-system.ts";

const home = resolve(import.meta.dirname, "../..");
const parties = ["exchange", "SURF", "UVA", "VU"];

describe.skipIf(inject("amqpUrl") === "")("a system whose sidecars are processes of their own", () => {
  /** Of its own: the names of a whole system's queues are the same everywhere. */
  let rabbitmq: RabbitMq;
  let data: string;
  let system: System;
  let tokens: Tokens;
  let token: string;
  const query = (options: Record<string, boolean> = {}, timeoutMs = 30_000) =>
    ask(
      { gatewayUrl: system.url, token },
      {
        timeoutMs,
        providers: ["UVA", "VU"],
        sql: "SELECT p.Geslacht, s.Salschal FROM Personen p JOIN Aanstellingen s ON p.Unieknr = s.Unieknr",
        algorithm: "average",
        options,
      },
    );
  const whole = { status: 200, body: { complete: true } };

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), "sidecar-processes-"));
    await writeDemoData(data);
    tokens = await openTokens();
    token = await tokens.tokenOf();
    rabbitmq = await startRabbitmq();
    system = await startSystem({
      issuer: tokens.issuer,
      stack: await readStack(join(home, "stack.yml")),
      buildDir: join(home, "build/functions"),
      port: 0,
      broker: rabbitmq.url,
      sidecars: "processes",
      documents: [
        ...demoDocuments,
        ...demoDataSets.map((value) => ({ key: dataSetKey(value.party, value.name), value })),
      ],
      dataDir: data,
      log: createMemoryLog(),
      logLevel: "error",
      onProgress: () => {},
    });
  }, 120_000);

  afterAll(async () => {
    // Also where it did not start.
    const pids = parties.flatMap((party) => system?.sidecars.pid(party) ?? []);
    await system?.stop();
    await rabbitmq?.stop();
    await tokens?.remove();
    await rm(data, { recursive: true, force: true });
    expect(pids.filter(isAlive)).toEqual([]);
  }, 30_000);

  it("gives each party a process", () => {
    const pids = parties.map((party) => system.sidecars.pid(party));
    expect(new Set([...pids, process.pid, undefined]).size).toBe(parties.length + 2);
  });

  it("answers at home and through the third party", async () => {
    expect(await query()).toMatchObject(whole);
    expect(await query({ aggregate: true })).toMatchObject(whole);
  });

  it("shows the metrics of all of them on one page", async () => {
    let page = "";
    const missing = async () => {
      page = await (await fetch(`${system.url}/metrics`)).text();
      return parties.filter((party) => !page.includes(`dynamos_broker_connected{party="${party}"} 1`));
    };
    // One that does not answer at once is left out of the page, which a busy machine brings about.
    await expect.poll(missing, { timeout: 20_000 }).toEqual([]);
    expect(page).toMatch(/^dynamos_messages_settled_total\{party="SURF",step="gather",how="done",code=""\} [2-9]$/m);
    expect(page).toMatch(/^dynamos_queue_consumers\{party="UVA",queue="uva.sql-query"\} 1$/m);
    expect(page).toMatch(/^dynamos_invocation_seconds_count\{party="VU",function="vu-sql-query",code=""\} \d$/m);
    const heads = page.split("\n").filter((line) => line.startsWith("# TYPE"));
    expect(new Set(heads).size).toBe(heads.length);
  });

  it.each(parties)(
    "answers again after the sidecar of %s was killed",
    async (party) => {
      const killed = system.sidecars.pid(party) ?? 0;
      process.kill(killed, "SIGKILL");
      await expect.poll(() => system.sidecars.pid(party) ?? killed, { timeout: 10_000 }).not.toBe(killed);
      await expect
        .poll(() => query({ aggregate: true }), { timeout: 20_000, interval: 200 })
        .toMatchObject({ ...whole, body: { complete: true, results: [{ party: "SURF" }] } });
    },
    60_000,
  );

  it("names a provider whose sidecar was stopped", async () => {
    await system.sidecars.stopOne("VU");
    // The lease of the one that was killed above may last a little longer.
    await expect
      .poll(async () => (await query({}, 1_000)).body, { timeout: 15_000 })
      .toMatchObject({ refused: [{ provider: "VU", code: "PROVIDER_OFFLINE" }] });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
