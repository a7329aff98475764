/** An archetype that changes in the middle of a query: the answer is that of a query that nothing disturbed. Over both brokers. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { archetypeKey } from "#domain/knowledge-keys";
import type { Step } from "#runtime/define-step";
import { actedParties } from "#testing/acted-world";
import type { AskedAnswer } from "#testing/asker";
import { brokerLinks } from "#testing/broker-links";
import { personenOf } from "#testing/personen";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";
import sqlAggregate from "../../functions/sql-aggregate/handler.ts";
import sqlAlgorithm from "../../functions/sql-algorithm/handler.ts";
import sqlAnonymize from "../../functions/sql-anonymize/handler.ts";
import sqlQuery from "../../functions/sql-query/handler.ts";

const archetypes = ["computeToData", "dataThroughTtp"] as const;
type ArchetypeName = (typeof archetypes)[number];
const steps = {
  exchange: [policyEnforcer, archetypeSelector],
  UVA: [sqlQuery, sqlAnonymize, sqlAlgorithm],
  VU: [sqlQuery, sqlAnonymize, sqlAlgorithm],
  SURF: [sqlAggregate, sqlAlgorithm],
} as const;
const queues = Object.entries(steps).flatMap(([party, own]) => [
  ...own.map(({ name }) => `${party.toLowerCase()}.${name}`),
  `${party.toLowerCase()}.gather`,
]);

/** Every hop of a chain under each. */
const hops: Readonly<Record<ArchetypeName, readonly string[]>> = {
  computeToData: [
    "exchange policy-enforcer",
    "exchange archetype-selector",
    "UVA sql-query",
    "UVA sql-anonymize",
    "UVA sql-algorithm",
    "VU sql-query",
    "VU sql-algorithm",
  ],
  dataThroughTtp: [
    "exchange policy-enforcer",
    "exchange archetype-selector",
    "UVA sql-query",
    "UVA sql-anonymize",
    "VU sql-query",
    "VU sql-anonymize",
    "SURF sql-aggregate",
    "SURF sql-algorithm",
  ],
};
/** The larger one travels beside its messages. */
const questions = {
  "a small table": { sql: "SELECT * FROM Personen WHERE Unieknr <= 40 ORDER BY Unieknr", rows: 40 },
  "a mean": {
    sql: "SELECT Geslacht, Unieknr FROM Personen",
    rows: 40,
    algorithm: { name: "average", column: "Unieknr", groupBy: ["Geslacht"] },
  },
  "a table beside its messages": { sql: "SELECT * FROM Personen ORDER BY Unieknr", rows: 14_000 },
} as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-switch-"));
  for (const party of ["UVA", "VU"]) {
    const lines = Array.from({ length: 14_000 }, (_, i) => `${i + 1};${i % 3 ? "V" : "M"};person ${party} ${i}\n`);
    await writeFile(join(folder, `Personen_${party}.csv`), `Unieknr;Geslacht;Naam\n${lines.join("")}`);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Gate {
  readonly place: string;
  readonly opened: Promise<void>;
  isReached: boolean;
}

function switchTests(url: string): void {
  let world: World;
  let links: ReturnType<typeof brokerLinks>;
  let gate: Gate | undefined;

  const held = (party: string, step: Step): Step => ({
    ...step,
    facts: async (...call) => {
      if (gate?.place === `${party} ${step.name}`) {
        gate.isReached = true;
        await gate.opened;
      }
      return step.facts(...call);
    },
  });

  beforeAll(async () => {
    links = brokerLinks(url, { queues, parties: actedParties });
    world = await openWorld({
      documents: [...demoDocuments, personenOf("UVA"), personenOf("VU")],
      steps: Object.fromEntries(
        Object.entries(steps).map(([party, own]) => [party, own.map((step) => held(party, step))]),
      ),
      environments: { UVA: { data_dir: folder }, VU: { data_dir: folder } },
      connect: links.connect,
    });
  }, 60_000);
  afterAll(async () => {
    await world?.close();
    await links?.remove();
  }, 60_000);
  afterEach(() => {
    gate = undefined;
  });

  /** Both are allowed by all: the lighter one runs. */
  async function prefer(archetype: ArchetypeName): Promise<void> {
    const atHome = { name: "computeToData", computeProvider: "dataProvider", resultRecipient: "requestor" };
    const weight = archetype === "computeToData" ? 100 : 300;
    const revision = await world.knowledge.put(archetypeKey(atHome.name), JSON.stringify({ ...atHome, weight }));
    expect((await world.api.applied(revision, 10_000)).waiting).toEqual([]);
  }

  const ask = ({ rows: _, ...question }: (typeof questions)[keyof typeof questions]) =>
    world.ask(
      { providers: ["UVA", "VU"], algorithm: undefined, ...structuredClone(question) } as Parameters<World["ask"]>[0],
      { timeoutMs: 60_000 },
    );

  /** What the researcher gets, without what tells of the way. */
  function contentOf({ status, body }: AskedAnswer) {
    const archetype = (body.archetypes as { archetype: string }[] | undefined)?.map((choice) => choice.archetype);
    return {
      status,
      archetype,
      results: body.results,
      refused: body.refused,
      failed: body.failed,
      detail: body.detail,
    };
  }

  for (const [name, question] of Object.entries(questions)) {
    for (const from of archetypes) {
      const to = archetypes.find((other) => other !== from) ?? from;
      it.each(hops[from])(
        `gives ${name} as if ${to} had been meant, when it is at %s in ${from}`,
        async (place) => {
          await prefer(to);
          const undisturbed = contentOf(await ask(question));
          expect(undisturbed).toMatchObject({ status: 200, archetype: [to], failed: [] });
          await prefer(from);
          let open = () => {};
          gate = {
            place,
            isReached: false,
            opened: new Promise((resolve) => {
              open = resolve;
            }),
          };
          const asking = ask(question);
          await expect.poll(() => gate?.isReached, { timeout: 20_000 }).toBe(true);
          await prefer(to);
          open();
          expect(contentOf(await asking)).toEqual(undisturbed);
        },
        90_000,
      );
    }
  }

  it("gave the rows of both that were asked for", async () => {
    const results = (await ask(questions["a small table"])).body.results as { rowCount: number }[];
    expect(results.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(2 * questions["a small table"].rows);
  });
}

describe("a switch, over the in-memory broker", () => switchTests("memory"));
const amqpUrl = inject("amqpUrl");
describe.skipIf(amqpUrl === "")("a switch, over RabbitMQ", () => switchTests(amqpUrl));
