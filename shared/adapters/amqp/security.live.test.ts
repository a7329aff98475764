/** What a party does under its own broker user, over a RabbitMQ with our definitions. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { gatherTopic, replyTopic } from "#domain/route";
import { message, work } from "#testing/broker-contract/kit";
import {
  importDefinitions,
  type PartyUsers,
  replies,
  startPartyUsers,
  surfGather,
  usersParties,
} from "#testing/party-users";
import { rabbitmqServer } from "#testing/rabbitmq";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { definitionsOf } from "../../../cli/broker/definitions.ts";

const canRun = rabbitmqServer() !== undefined && process.env.DYNAMOS_TEST_AMQP_URL !== "";
const never = new AbortController().signal;

let users: PartyUsers;

describe.skipIf(!canRun)("a broker user per party", () => {
  beforeAll(async () => {
    users = await startPartyUsers();
  }, 120_000);
  afterAll(() => users?.stop(), 60_000);
  afterEach(() => users.closeAll());

  describe("lets a party do its own work:", () => {
    it("the exchange starts a chain, the provider goes on with it, and each delivery says whose it is", async () => {
      const uva = await users.listen("UVA", work("uva.sql-query"));
      const exchange = await users.connect("exchange");
      await exchange.publish(message("uva.sql-query", "hop0"));
      await uva.broker.publish(message("uva.sql-query", "hop1"));
      await expect.poll(uva.senders).toEqual([
        ["hop0", "exchange"],
        ["hop1", "uva"],
      ]);
    });

    it("a part reaches the gather, and replies reach the asker, from providers and third party alike", async () => {
      const surf = await users.listen("SURF", surfGather);
      const exchange = await users.listen("exchange", replies("exchange"));
      const uva = await users.connect("UVA");
      await uva.publish(message(gatherTopic("SURF"), "part"));
      await expect.poll(surf.senders).toEqual([["part", "uva"]]);
      await uva.publish(message(replyTopic("exchange", "i1"), "from uva"));
      await surf.broker.publish(message(replyTopic("exchange", "i1"), "from surf"));
      await expect
        .poll(() => exchange.senders().sort())
        .toEqual([
          ["from surf", "surf"],
          ["from uva", "uva"],
        ]);
    });

    it("a cancel of the exchange reaches everybody who listens", async () => {
      const parties = ["exchange", "UVA", "VU", "SURF"];
      const all = await Promise.all(parties.map((party) => users.listen(party, replies(party))));
      await all[0]?.broker.publish(message("control.cancel", "stop"));
      for (const { senders } of all) await expect.poll(senders).toEqual([["stop", "exchange"]]);
    });

    it("a message that is tried again, and one that is redriven, still says who sent it first", async () => {
      const uva = await users.connect("UVA");
      await uva.declare([work("uva.retried")]);
      const seen: [number, string | undefined][] = [];
      let last: "dead-letter" | "done" = "dead-letter";
      await uva.consume("uva.retried", { prefetch: 1 }, async ({ tries, sender }) => {
        seen.push([tries, sender]);
        return tries < 2 ? { kind: "retry", afterMs: 50, reason: "again" } : { kind: last, reason: "enough" };
      });
      const exchange = await users.connect("exchange");
      await exchange.publish(message("uva.retried", "m1"));
      await expect.poll(() => seen, { timeout: 10_000 }).toHaveLength(3);
      last = "done";
      const redrive = async () =>
        uva.visitDeadLetters(10, async (letter) => {
          expect(letter).toMatchObject({ id: "m1", queue: "uva.retried", reason: "enough", sender: "exchange" });
          await letter.redrive();
        });
      await expect.poll(redrive).toBe(1);
      await expect.poll(() => seen, { timeout: 10_000 }).toHaveLength(6);
      expect(new Set(seen.map(([, sender]) => sender))).toEqual(new Set(["exchange"]));
    });

    it("what expires in its queue becomes its own dead letter, with its sender", async () => {
      const vu = await users.connect("VU");
      await vu.declare([work("vu.unread")]);
      await (await users.connect("exchange")).publish(message("vu.unread", "late", { expiresInMs: 1 }));
      const letters = async () => takeDeadLetters(vu, 5);
      await expect.poll(letters).toMatchObject([{ id: "late", queue: "vu.unread", sender: "exchange" }]);
    });

    it.each(["SURF", "exchange", "UVA"])("a table goes to %s, who reads and drops it", async (to) => {
      const uva = await users.connect("UVA");
      const reader = await users.connect(to);
      const writer = await uva.transfers.open({ from: "UVA", to, expiresInMs: 20_000 });
      await writer.write(new Uint8Array([1]));
      await writer.write(new Uint8Array([2]));
      await writer.end();
      await reader.transfers.renew(writer.name);
      const chunks: number[] = [];
      for await (const [byte] of reader.transfers.read(writer.name, never)) chunks.push(byte ?? -1);
      expect(chunks).toEqual([1, 2]);
      await reader.transfers.drop(writer.name);
      const again = reader.transfers.read(writer.name, never)[Symbol.asyncIterator]();
      await expect(again.next()).rejects.toMatchObject({ label: "TRANSFER_LOST" });
    });

    it("declaring again what is there is no error, also after the connection was lost", async () => {
      const first = await users.connect("UVA");
      await first.declare([work("uva.sql-query"), work(gatherTopic("UVA"))]);
      const second = await users.connect("UVA");
      await second.declare([work("uva.sql-query"), work(gatherTopic("UVA"))]);
      await users.rabbitmq.control("close_all_user_connections", "uva", "a test");
      await expect.poll(() => second.publish(message("uva.sql-query", "after")).then(() => true)).toBe(true);
    });
  });

  describe("refuses", () => {
    it("what a sidecar may not send by name, while its other messages and consumers go on", async () => {
      const uva = await users.listen("UVA", work("uva.steady"));
      const notices: string[] = [];
      uva.broker.onStatus(({ kind }) => notices.push(kind));
      const foreign = ["vu.sql-query", "control.cancel", "reply.vu.i1"].map((key) => uva.broker.publish(message(key)));
      const own = Array.from({ length: 20 }, (_, i) => uva.broker.publish(message("uva.steady", `m${i}`)));
      for (const refused of await Promise.allSettled(foreign)) {
        expect(refused).toMatchObject({ status: "rejected", reason: { label: "DENIED" } });
      }
      await Promise.all(own);
      await expect.poll(() => new Set(uva.senders().map(([id]) => id)).size).toBe(20);
      await expect(uva.broker.declare([work("vu.mine-now")])).rejects.toMatchObject({ label: "DENIED" });
      await expect(
        uva.broker.consume("vu.sql-query", { prefetch: 1 }, async () => ({ kind: "done" })),
      ).rejects.toMatchObject({
        label: "DENIED",
      });
      await uva.broker.publish(message("uva.steady", "after"));
      await expect.poll(() => uva.senders().map(([id]) => id)).toContain("after");
      expect(notices).toEqual([]);
    });

    it("a login without a password, for users that were given none", async () => {
      const parties = [{ name: "Ghost", roles: ["dataProvider"] }];
      await importDefinitions(users.rabbitmq, definitionsOf({ parties, vhost: "dynamos", passwordHashes: new Map() }));
      await expect(users.connect("Ghost", users.urlOf("Ghost").replace(/:[^:@]*@/, ":@"))).rejects.toMatchObject({
        label: "BROKER_UNAVAILABLE",
      });
    });

    it("a party's user where its definitions were not imported, and says what to do", async () => {
      const { rabbitmq } = users;
      await rabbitmq.control("add_vhost", "empty");
      await rabbitmq.control("set_permissions", "-p", "empty", "uva", ".*", ".*", ".*");
      const url = users.urlOf("UVA").replace("/dynamos", "/empty");
      await expect(users.connect("UVA", url)).rejects.toThrow(
        "import the definitions that `dynamos broker definitions` makes",
      );
    });
  });

  it("can be imported again over itself", async () => {
    const definitions = definitionsOf({ parties: usersParties, vhost: "again", passwordHashes: new Map() });
    const withoutUsers = { ...definitions, users: [] };
    await importDefinitions(users.rabbitmq, withoutUsers);
    await importDefinitions(users.rabbitmq, withoutUsers);
    const exchanges = await users.rabbitmq.control("--no-table-headers", "list_exchanges", "-p", "again", "name");
    expect(exchanges.split("\n")).toEqual(expect.arrayContaining(["uva.in", "uva.out", "surf.in"]));
  });
});
