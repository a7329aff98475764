/** A provider whose steps are busy: the next query takes the third party, and those that run stay as they were planned. Over both brokers. */
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { appliedKey, keys, onlineKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { type ActedWorld, actedParties, actedQueues, documentOf, openActedWorld } from "#testing/acted-world";
import { brokerLinks } from "#testing/broker-links";

const chain = ["sql-query", "sql-anonymize", "sql-algorithm"] as const;
const timeoutMs = 60_000;

function loadTests(url: string): void {
  let acted: ActedWorld;
  let links: ReturnType<typeof brokerLinks>;
  let release: () => void;
  let planned: number;
  let held: Record<string, number>;

  beforeEach(async () => {
    planned = 0;
    held = {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    links = brokerLinks(url, { queues: actedQueues, parties: actedParties });
    const beforePolicy = async () => {
      planned += 1;
    };
    acted = await openActedWorld(links.connect, { beforePolicy });
    for (const step of chain) {
      acted.behaviours[`UVA ${step}`] = async ({ query }) => {
        if (query?.sql === `SELECT '${step}'`) {
          held[step] = (held[step] ?? 0) + 1;
          await gate;
        }
        return documentOf(Buffer.from("{}"));
      };
    }
  }, 60_000);
  afterEach(async () => {
    release();
    await acted?.world.close();
    await links?.remove();
  }, 60_000);

  const ask = (sql: string, providers: string[]) => acted.world.ask({ sql, providers }, { timeoutMs });
  const choicesOf = ({ body }: Awaited<ReturnType<typeof ask>>) => body.archetypes as Record<string, string>[];

  async function loadOfUva(): Promise<number> {
    const { entries } = await acted.world.knowledge.list(`${keys.online}UVA/`);
    return Math.max(...entries.map(({ value }) => (JSON.parse(value) as { load: number }).load));
  }

  /** From the end of the chain, so that nobody stands in another's way. @returns their answers */
  async function keepBusy() {
    const asking = [];
    for (const step of [...chain].reverse()) {
      for (let i = 0; i < limits.concurrencyDefault; i++) asking.push(ask(`SELECT '${step}'`, ["UVA"]));
      await expect.poll(() => held[step], { timeout: 20_000 }).toBe(limits.concurrencyDefault);
    }
    return asking;
  }

  it("takes the third party while the provider is busy, and goes home again after", async () => {
    const asking = await keepBusy();
    await expect.poll(loadOfUva, { timeout: 20_000 }).toBeGreaterThanOrEqual(limits.busyLoadShare);
    const relieved = ask("SELECT 1", ["UVA", "VU"]);
    // It has been planned: VU's part of it is there.
    await expect.poll(() => acted.calls["VU sql-query"], { timeout: 20_000 }).toBe(1);
    release();
    expect(choicesOf(await relieved)).toMatchObject([
      {
        archetype: "dataThroughTtp",
        computeProvider: "SURF",
        rule: "load",
        why: expect.stringMatching(/^UVA is at (8|9|10)\d % of its capacity, and SURF is at 0 % of its capacity: /),
        considered: expect.arrayContaining([
          { archetype: "computeToData", reason: expect.stringMatching(/^UVA is at (8|9|10)\d % of its capacity$/) },
        ]),
      },
    ]);
    await Promise.all(asking);
    await expect.poll(loadOfUva, { timeout: 20_000 }).toBeLessThan(limits.busyLoadShare);
    expect(choicesOf(await ask("SELECT 1", ["UVA", "VU"]))).toMatchObject([
      { archetype: "computeToData", rule: "weight" },
    ]);
  }, 90_000);

  it("plans nothing again that runs, however often the load goes up and down", async () => {
    const asking = await keepBusy();
    await expect.poll(loadOfUva, { timeout: 20_000 }).toBeGreaterThanOrEqual(limits.busyLoadShare);
    const running = planned;
    const { knowledge, api } = acted.world;
    // As a second sidecar of each party would say it, which carries out whatever is agreed.
    for (const party of ["UVA", "SURF"]) await knowledge.put(appliedKey(party, "second"), "1000000");
    for (let i = 0; i < 20; i++) {
      const load = i % 2;
      await knowledge.put(onlineKey("UVA", "second"), JSON.stringify({ load }));
      await knowledge.put(onlineKey("SURF", "second"), JSON.stringify({ load: 1 - load }));
    }
    // A change that does count makes everybody look at everything once more.
    const partyOf = { key: "/parties/extra", value: JSON.stringify({ name: "extra", roles: ["dataProvider"] }) };
    const revision = await knowledge.put(partyOf.key, partyOf.value);
    expect((await api.applied(revision, 10_000)).waiting).toEqual([]);
    release();
    const answers = await Promise.all(asking);
    expect(answers.flatMap(choicesOf).map(({ archetype, rule }) => `${archetype} by ${rule}`)).toEqual(
      answers.map(() => "computeToData by weight"),
    );
    expect(planned).toBe(running);
  }, 90_000);
}

describe("a busy provider, over the in-memory broker", () => loadTests("memory"));
const amqpUrl = inject("amqpUrl");
describe.skipIf(amqpUrl === "")("a busy provider, over RabbitMQ", () => loadTests(amqpUrl));
