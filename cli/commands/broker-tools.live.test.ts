import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { connectAmqp } from "#adapters/amqp/broker";
import { retryDelaysMs } from "#adapters/amqp/topology";
import { createMemoryLog } from "#adapters/memory/log";
import { Envelope } from "#contracts";
import { deadLetterQueue, retryQueue } from "#domain/route";
import type { Broker } from "#ports/broker";
import { message } from "#testing/broker-contract/kit";
import { addDeadLettersCommand } from "./dead-letters.ts";
import { addQueuesCommand } from "./queues.ts";

const url = inject("amqpUrl");
const secret = "SELECT Geheim FROM Personen";

describe.skipIf(url === "")("the tools for a broker", () => {
  let party: string;
  let queue: string;
  let broker: Broker;
  let folder: string;
  let servers: Server[];

  beforeEach(async () => {
    party = `T${randomUUID().slice(0, 8)}`;
    queue = `${party.toLowerCase()}.sql-query`;
    servers = [];
    folder = await mkdtemp(join(tmpdir(), "broker-tools-"));
    await writeFile(
      join(folder, "stack.yml"),
      `version: 1.0
provider: {name: openfaas}
functions:
  ${party.toLowerCase()}-sql-query:
    lang: node18-single-use
    handler: ./functions/sql-query
    image: q:1
    annotations: {topic: ${queue}, com.dynamos.party: ${party}}
`,
    );
    broker = await connectAmqp({ url, party, log: createMemoryLog() });
    await broker.declare([{ name: queue, bindings: [queue], kind: "work" }]);
  });

  afterEach(async () => {
    process.exitCode = 0;
    await broker.close();
    for (const server of servers) await new Promise((done) => server.close(done));
    const connection = await connect(url);
    const channel = await connection.createChannel();
    for (const name of [queue, deadLetterQueue(party)]) await channel.deleteQueue(name);
    for (const delayMs of retryDelaysMs) {
      await channel.deleteQueue(retryQueue(party, delayMs));
      await channel.deleteExchange(retryQueue(party, delayMs));
    }
    await connection.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(...args: string[]): Promise<string> {
    let written = "";
    const write = (text: string) => {
      written += text;
    };
    const program = new Command().exitOverride();
    addQueuesCommand(program, write);
    addDeadLettersCommand(program, write);
    const all = [...args, "--broker", url, "--stack", join(folder, "stack.yml")];
    await program.parseAsync(all, { from: "user" });
    return written;
  }

  const deadLetters = (action: string, ...args: string[]) => run("dead-letters", action, ...args);

  /** Two envelopes that a step failed on. */
  async function twoDead(): Promise<void> {
    const consumer = await broker.consume(queue, { prefetch: 1 }, async () => ({
      kind: "dead-letter",
      reason: "INTERNAL: it broke",
    }));
    for (const id of ["one", "two"]) {
      const envelope = Envelope.fromPartial({
        queryId: id,
        step: "sql-query",
        party,
        deadlineMs: 1_000,
        chain: { id: "c" },
        query: { id, sql: secret },
      });
      await broker.publish(message(queue, id, { queryId: id, body: Envelope.encode(envelope).finish() }));
    }
    await expect.poll(async () => (await deadLetters("list", "--json")).trim().split("\n").length).toBe(2);
    await consumer.cancel();
  }

  it("count what waits and who takes it, and say what AMQP does not tell", async () => {
    await broker.publish(message(queue, "waits"));
    const text = await run("queues");
    expect(text).toMatch(new RegExp(`^${queue} +1 +\\? +0 +\\? +\\?$`, "m"));
    expect(text).toMatch(/\?: AMQP does not tell; --management URL knows/);
    expect(text).not.toContain(".retry.");
    expect(await run("queues", "--all")).toContain(retryQueue(party, 50));
  });

  it("tell the age of the oldest message when they may peek, and leave it where it is", async () => {
    await broker.publish(message(queue, "waits", { expiresInMs: 60_000 }));
    for (let i = 0; i < 2; i++) {
      const lines = (await run("queues", "--peek", "--json")).trim().split("\n");
      const figures = lines.map((line) => JSON.parse(line)).find(({ name }) => name === queue);
      expect(figures).toMatchObject({ ready: 1, consumers: 0, unacknowledged: null, redeliveries: null });
      expect(figures.oldestMs).toEqual(expect.any(Number));
    }
  });

  it("take from the management API what AMQP does not tell", async () => {
    const asked: unknown[] = [];
    const server = createServer((request, response) => {
      asked.push([request.url, request.headers.authorization]);
      const stats = { redeliver: 7, publish: 9 };
      response.end(
        JSON.stringify([
          { name: queue, messages_ready: 9, messages_unacknowledged: 3, consumers: 2, message_stats: stats },
        ]),
      );
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const management = `http://me:secret@127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [line = ""] = (await run("queues", "--management", management, "--json")).trim().split("\n");
    expect(JSON.parse(line)).toMatchObject({
      name: queue,
      ready: 0,
      unacknowledged: 3,
      redeliveries: 7,
      oldestMs: null,
    });
    expect(asked).toEqual([["/api/queues/%2F", `Basic ${Buffer.from("me:secret").toString("base64")}`]]);
  });

  it("show dead letters with their reason and history, without a word of the query", async () => {
    await twoDead();
    expect(await deadLetters("list")).toMatch(new RegExp(`^one +${queue} +INTERNAL +0 +\\d+ +it broke$`, "m"));
    const shown = await deadLetters("show", "--id", "two");
    expect(shown).toMatch(/^chain +c$/m);
    expect(shown).toMatch(/^deadline +1970-01-01T00:00:01.000Z$/m);
    expect(shown).toContain(`${queue} INTERNAL: it broke`);
    expect(shown).not.toMatch(/one|SELECT|Geheim/);
    expect(await deadLetters("list", "--queue", "another.queue")).toBe("no dead letters\n");
  });

  it("redrive one dead letter and drop another", async () => {
    await twoDead();
    expect(await deadLetters("redrive", "--id", "one")).toContain(
      "1 redriven\n1 of them end at once: the deadline of their query has passed",
    );
    const seen: string[] = [];
    await broker.consume(queue, { prefetch: 1 }, async ({ id, tries }) => {
      seen.push(`${id} ${tries}`);
      return { kind: "done" };
    });
    await expect.poll(() => seen).toEqual(["one 0"]);
    expect(await deadLetters("drop", "--all")).toContain("1 dropped");
    expect(await deadLetters("list")).toBe("no dead letters\n");
  });

  it.each(["redrive", "drop"])("do not %s without being told which", async (action) => {
    await expect(deadLetters(action)).rejects.toThrow("say which one with --id, or --all");
  });

  it("fail when the dead letter that was named is not there", async () => {
    await deadLetters("show", "--id", "nobody");
    expect(process.exitCode).toBe(1);
  });

  it("say that a broker does not answer", async () => {
    const program = new Command().exitOverride();
    addQueuesCommand(program);
    const asked = program.parseAsync(["queues", "--broker", "amqp://a:b@127.0.0.1:1"], { from: "user" });
    await expect(asked).rejects.toThrow("the broker does not answer");
  });
});
