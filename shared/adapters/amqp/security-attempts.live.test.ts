/** What a party's own broker user may not do, tried without our adapter in between. */
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { gatherTopic, replyTopic } from "#domain/route";
import { attempts, detours } from "#testing/broker-attempts";
import { message, work } from "#testing/broker-contract/kit";
import { type PartyUsers, replies, startPartyUsers, surfGather } from "#testing/party-users";
import { rabbitmqServer } from "#testing/rabbitmq";

const canRun = rabbitmqServer() !== undefined && process.env.DYNAMOS_TEST_AMQP_URL !== "";
const bytes = Buffer.from("x");
const last = { userId: "uva", messageId: "last", correlationId: "q", type: "reply" };

let users: PartyUsers;

describe.skipIf(!canRun)("the broker refuses the user of a party", () => {
  beforeAll(async () => {
    users = await startPartyUsers();
  }, 120_000);
  afterAll(() => users?.stop(), 60_000);
  afterEach(() => users.closeAll());

  let connection: ChannelModel;
  let transferOfVu: string;

  beforeAll(async () => {
    connection = await connect(users.urlOf("UVA"));
    connection.on("error", () => {});
    const vu = await users.connect("VU");
    await vu.declare([work("vu.sql-query"), work(gatherTopic("VU"))]);
    const table = await vu.transfers.open({ from: "VU", to: "SURF", expiresInMs: 600_000 });
    await table.end();
    transferOfVu = table.name;
    await users.closeAll();
  }, 60_000);
  afterAll(() => connection?.close());

  /** @returns what the broker says to it; empty: it let it through */
  async function refusal(attempt: (channel: ConfirmChannel) => unknown): Promise<string> {
    const channel = await connection.createConfirmChannel();
    let said = "";
    channel.on("error", (error: Error) => {
      said = error.message;
    });
    try {
      await attempt(channel);
      await channel.waitForConfirms();
      await channel.close();
    } catch {
      // It is said once more with the channel's error.
    }
    return said;
  }

  it.each(attempts)("$name, and its other work goes on", async ({ run, said }) => {
    expect(await refusal((channel) => run(channel, transferOfVu))).toContain(said);
    // On the same connection: only the channel of the attempt is gone.
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue("uva.proof");
    await channel.bindQueue("uva.proof", "uva.in", "uva.proof");
    channel.publish("uva.out", "uva.proof", Buffer.from("own"), { userId: "uva" });
    await channel.waitForConfirms();
    expect(await channel.get("uva.proof", { noAck: true })).toMatchObject({ content: Buffer.from("own") });
    await channel.close();
  });

  it.each(detours)("to lead a message to another by $name", async ({ run }) => {
    const heard = await users.listen("exchange", replies("exchange"));
    const channel = await connection.createConfirmChannel();
    await run(channel);
    // What was on its way has arrived when a later message has.
    channel.publish("uva.out", replyTopic("exchange", "i1"), bytes, last);
    await channel.waitForConfirms();
    await expect.poll(heard.senders).toEqual([["last", "uva"]]);
    await channel.close();
    const vu = await connect(users.urlOf("VU"));
    const theirs = await vu.createChannel();
    expect(await theirs.checkQueue("vu.sql-query")).toMatchObject({ messageCount: 0 });
    await vu.close();
  });

  it("to hide the sender where a second address gets through: at a party that it may send to, anyway", async () => {
    const surf = await users.listen("SURF", surfGather, work("surf.sql-aggregate"));
    const channel = await connection.createConfirmChannel();
    channel.publish("uva.out", gatherTopic("SURF"), bytes, { ...last, CC: ["surf.sql-aggregate"] });
    await channel.waitForConfirms();
    await channel.close();
    await expect.poll(surf.senders).toEqual([
      ["last", "uva"],
      ["last", "uva"],
    ]);
  });

  it("a party that listens to everything that comes in anything but its own", async () => {
    const spy = await users.listen("UVA", work("uva.spy", "#"));
    const surf = await users.listen("SURF", surfGather);
    const exchange = await users.connect("exchange");
    const vu = await users.connect("VU");
    await vu.publish(message(gatherTopic("SURF"), "a part"));
    await exchange.publish(message("vu.sql-query", "not for it"));
    await exchange.publish(message("uva.anything", "for it"));
    await expect.poll(surf.senders).toEqual([["a part", "vu"]]);
    await expect.poll(spy.senders).toEqual([["for it", "exchange"]]);
    await spy.broker.close();
    await connection.createChannel().then(async (channel) => {
      await channel.deleteQueue("uva.spy");
      await channel.close();
    });
  });

  it("to vouch for a message whose sender did not say who it is", async () => {
    const surf = await users.listen("SURF", surfGather);
    const channel = await connection.createConfirmChannel();
    const { userId: _, ...nameless } = last;
    channel.publish("uva.out", gatherTopic("SURF"), bytes, { ...nameless, headers: { "x-sender": "vu" } });
    await channel.waitForConfirms();
    channel.publish("uva.out", gatherTopic("SURF"), bytes, { ...last, headers: { "x-sender": "vu" } });
    await channel.waitForConfirms();
    await channel.close();
    await expect.poll(surf.senders).toEqual([
      ["last", undefined],
      ["last", "uva"],
    ]);
  });
});
