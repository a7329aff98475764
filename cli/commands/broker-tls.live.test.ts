/** The operators' commands at a broker that speaks TLS and asks for a client certificate. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectAmqp } from "#adapters/amqp/broker";
import { createMemoryLog } from "#adapters/memory/log";
import { message, work } from "#testing/broker-contract/kit";
import { hasOpenssl, makeAuthority } from "#testing/certificates";
import { freePort } from "#testing/free-port";
import { type RabbitMq, rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { addDeadLettersCommand } from "./dead-letters.ts";
import { addQueuesCommand } from "./queues.ts";

const canRun = rabbitmqServer() !== undefined && hasOpenssl() && process.env.DYNAMOS_TEST_AMQP_URL !== "";
if (!canRun) process.stderr.write("SKIPPED: TLS needs rabbitmq-server and openssl here\n");

describe.skipIf(!canRun)("over TLS", () => {
  let folder: string;
  let rabbitmq: RabbitMq;
  let url: string;
  let certificates: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dynamos-tls-"));
    const authority = await makeAuthority(folder, "authority");
    const server = await authority.sign("server", "IP:127.0.0.1");
    const client = await authority.sign("client", "DNS:operator");
    const port = await freePort();
    rabbitmq = await startRabbitmq([
      `listeners.ssl.1 = 127.0.0.1:${port}`,
      `ssl_options.cacertfile = ${authority.cert}`,
      `ssl_options.certfile = ${server.cert}`,
      `ssl_options.keyfile = ${server.key}`,
      "ssl_options.verify = verify_peer",
      "ssl_options.fail_if_no_peer_cert = true",
    ]);
    url = `amqps://test:test@127.0.0.1:${port}`;
    certificates = ["--broker-ca", authority.cert, "--broker-cert", client.cert, "--broker-key", client.key];
    const tls = { caFile: authority.cert, certFile: client.cert, keyFile: client.key };
    const broker = await connectAmqp({ url, tls, party: "UVA", log: createMemoryLog() });
    await broker.declare([work("uva.sql-query")]);
    await broker.consume("uva.sql-query", { prefetch: 1 }, async () => ({
      kind: "dead-letter",
      reason: "SQL_INVALID: no",
    }));
    await broker.publish(message("uva.sql-query", "m1"));
    await broker.close();
  }, 90_000);

  afterAll(async () => {
    await rabbitmq?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  async function written(...args: string[]): Promise<string> {
    let text = "";
    const write = (more: string) => {
      text += more;
    };
    const program = new Command("dynamos").exitOverride();
    addQueuesCommand(program, write);
    addDeadLettersCommand(program, write);
    try {
      await program.parseAsync([...args, "--broker", url], { from: "user" });
    } finally {
      process.exitCode = 0;
    }
    return text;
  }

  it("dynamos queues shows what is there", async () => {
    const lines = (await written("queues", "--party", "UVA", "--json", ...certificates)).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).name)).toContain("uva.sql-query");
  });

  it("dynamos dead-letters list shows what will not be delivered", async () => {
    const [letter] = (await written("dead-letters", "list", "--party", "UVA", "--json", ...certificates)).split("\n");
    expect(JSON.parse(letter ?? "")).toMatchObject({ id: "m1", queue: "uva.sql-query", code: "SQL_INVALID" });
  });

  it.each([
    ["queues", ["queues"]],
    ["dead-letters", ["dead-letters", "list", "--party", "UVA"]],
  ])("dynamos %s says which certificate is missing", async (_, command) => {
    await expect(written(...command, ...certificates.slice(0, 2))).rejects.toThrow(/client certificate/);
  });
});
