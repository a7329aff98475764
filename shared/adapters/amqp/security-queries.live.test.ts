/** Whole queries where each party has a broker user of its own: every message of a chain, also tables beside messages. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Envelope, Role } from "#contracts";
import { type PartyUsers, startPartyUsers } from "#testing/party-users";
import { rabbitmqServer } from "#testing/rabbitmq";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../../cli/demo/documents.ts";
import archetypeSelector from "../../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../../functions/policy-enforcer/handler.ts";
import sqlAggregate from "../../../functions/sql-aggregate/handler.ts";
import sqlAlgorithm from "../../../functions/sql-algorithm/handler.ts";
import sqlAnonymize from "../../../functions/sql-anonymize/handler.ts";
import sqlQuery from "../../../functions/sql-query/handler.ts";

const canRun = rabbitmqServer() !== undefined && process.env.DYNAMOS_TEST_AMQP_URL !== "";
const providers = ["UVA", "VU"];
/** Too many for a message. */
const rowsEach = 40_000;
const columns = ["id", "label"];

describe.skipIf(!canRun)("a query where each party has a broker user of its own", () => {
  let users: PartyUsers;
  let folder: string;
  let world: World;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dynamos-users-"));
    for (const party of providers) {
      const lines = Array.from({ length: rowsEach }, (_, i) => `${i + 1};${party} ${i}\n`);
      await writeFile(join(folder, `Personen_${party}.csv`), `${columns.join(";")}\n${lines.join("")}`);
    }
    users = await startPartyUsers();
    const data = { data_dir: folder };
    world = await openWorld({
      documents: [...demoDocuments, ...providers.map(dataSet)],
      steps: {
        exchange: [policyEnforcer, archetypeSelector],
        UVA: [sqlQuery, sqlAnonymize, sqlAlgorithm],
        VU: [sqlQuery, sqlAnonymize, sqlAlgorithm],
        SURF: [sqlAggregate, sqlAlgorithm],
      },
      environments: { UVA: data, VU: data },
      connect: (party) => users.connect(party),
    });
  }, 180_000);
  afterAll(async () => {
    await world?.close();
    await users?.closeAll();
    await users?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const sql = "SELECT id, label FROM Personen ORDER BY id";
  const rowsOf = (party: string) => Array.from({ length: rowsEach }, (_, i) => [i + 1, `${party} ${i}`]);
  const ask = async (options: Record<string, boolean>, more = "") => {
    const { body } = await world.ask({ providers, sql: sql + more, options }, { timeoutMs: 100_000 });
    return body.results as { party: string; rows: unknown[][] }[];
  };

  it.each([
    ["few rows", " LIMIT 5", 5],
    ["more rows than a message holds", "", rowsEach],
  ])("is answered by each provider at home, with %s", async (_, limit, count) => {
    const results = await ask({}, limit);
    expect(results.map(({ party }) => party)).toEqual(providers);
    for (const { party, rows } of results) expect(rows).toEqual(rowsOf(party).slice(0, count));
  });

  it.each([
    ["few rows", " LIMIT 5", 5],
    ["more rows than a message holds", "", rowsEach],
  ])("is answered through the third party, with %s", async (_, limit, count) => {
    const [result, ...more] = await ask({ aggregate: true }, limit);
    expect(more).toEqual([]);
    expect(result?.party).toBe("SURF");
    expect(result?.rows).toEqual(providers.flatMap((party) => rowsOf(party).slice(0, count)));
  });

  it("puts aside what a provider sends in another's name, and answers all the same", async () => {
    const chain = {
      id: "VU",
      party: "VU",
      role: Role.DATA_PROVIDER,
      archetype: "dataThroughTtp",
      steps: ["sql-query"],
    };
    const gather = {
      id: "gather-SURF",
      party: "SURF",
      role: Role.COMPUTE_PROVIDER,
      steps: ["sql-aggregate"],
      providers,
    };
    const part = Envelope.fromPartial({ queryId: "forged", party: "VU", step: "sql-query", hop: 1, chain, gather });
    const hop = Envelope.fromPartial({ queryId: "forged", party: "SURF", step: "sql-aggregate", chain: gather });
    const sent = { userId: "uva", correlationId: "forged", type: "envelope" };
    const connection = await connect(users.urlOf("UVA"));
    const channel = await connection.createConfirmChannel();
    const bytes = (envelope: Envelope) => Buffer.from(Envelope.encode(envelope).finish());
    channel.publish("uva.out", "surf.gather", bytes(part), { ...sent, messageId: "part" });
    // The only key that it may send there, with a second one that no party looks at but SURF's sidecar.
    channel.publish("uva.out", "surf.gather", bytes(hop), { ...sent, messageId: "hop", CC: ["surf.sql-aggregate"] });
    await channel.waitForConfirms();
    await connection.close();

    const letters: string[] = [];
    const broker = world.brokers.get("SURF");
    const take = async () => {
      for (const { queue, reason } of (await takeDeadLetters(broker, 10)) ?? []) letters.push(`${queue} ${reason}`);
      return [...letters].sort();
    };
    await expect
      .poll(take)
      .toEqual([
        "surf.gather ENVELOPE_INVALID: a part of SURF came from the broker user uva",
        "surf.gather ENVELOPE_INVALID: a part of VU came from the broker user uva",
        "surf.sql-aggregate ENVELOPE_INVALID: a message to a step of SURF came from the broker user uva",
      ]);
    const [result] = await ask({ aggregate: true }, " LIMIT 1");
    expect(result?.rows).toHaveLength(providers.length);
  });
});

function dataSet(party: string) {
  const tables = [{ name: "Personen", file: `Personen_${party}.csv` }];
  return {
    key: `/dataSets/${party}/wageGap`,
    value: { name: "wageGap", party, type: "csv", delimiter: ";", tables },
  };
}
