/** A broker that speaks TLS and asks for client certificates: who gets in, and what the others are told. */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { Broker, Delivery } from "#ports/broker";
import { collector, message, work } from "#testing/broker-contract/kit";
import { type Authority, type CertificateFiles, hasOpenssl, makeAuthority } from "#testing/certificates";
import { freePort } from "#testing/free-port";
import { type RabbitMq, rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { openTcpProxy } from "#testing/tcp-proxy";
import { connectAmqp } from "./broker.ts";
import { readQueues } from "./queue-figures.ts";
import type { TlsFiles } from "./tls.ts";

const canRun = rabbitmqServer() !== undefined && hasOpenssl() && process.env.DYNAMOS_TEST_AMQP_URL !== "";
if (!canRun) process.stderr.write("SKIPPED: TLS needs rabbitmq-server and openssl here\n");

let folder: string;
let ours: Authority;
let other: Authority;
let client: CertificateFiles;
let stranger: CertificateFiles;
const brokers: RabbitMq[] = [];
const open: Broker[] = [];

/** @returns its `amqps://` URL */
async function startTlsBroker({ cert, key }: CertificateFiles): Promise<{ rabbitmq: RabbitMq; url: string }> {
  const port = await freePort();
  const rabbitmq = await startRabbitmq([
    `listeners.ssl.1 = 127.0.0.1:${port}`,
    `ssl_options.cacertfile = ${ours.cert}`,
    `ssl_options.certfile = ${cert}`,
    `ssl_options.keyfile = ${key}`,
    "ssl_options.verify = verify_peer",
    "ssl_options.fail_if_no_peer_cert = true",
  ]);
  brokers.push(rabbitmq);
  return { rabbitmq, url: `amqps://test:test@127.0.0.1:${port}` };
}

function filesOf(authority: CertificateFiles, own?: CertificateFiles): TlsFiles {
  return { caFile: authority.cert, ...(own === undefined ? {} : { certFile: own.cert, keyFile: own.key }) };
}

async function connected(url: string, tls: TlsFiles | undefined): Promise<Broker> {
  const broker = await connectAmqp({
    url,
    ...(tls === undefined ? {} : { tls }),
    party: "UVA",
    log: createMemoryLog(),
  });
  open.push(broker);
  return broker;
}

/** Calls back when no socket of this process leads to that port any more. */
function proxiedSocketGone(port: number, then: (value: unknown) => void): void {
  const holds = () =>
    (process as unknown as { _getActiveHandles(): { remotePort?: number }[] })
      ._getActiveHandles()
      .some(({ remotePort }) => remotePort === port);
  const timer = setInterval(() => {
    if (holds()) return;
    clearInterval(timer);
    then(undefined);
  }, 50);
}

const failureOf = (url: string, tls: TlsFiles | undefined) =>
  connected(url, tls).then(
    () => "connected",
    ({ label, message: text }) => `${label}: ${text}`,
  );

afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close();
});

describe.skipIf(!canRun)("a broker over TLS", () => {
  let url: string;
  let rabbitmq: RabbitMq;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dynamos-tls-"));
    [ours, other] = await Promise.all([makeAuthority(folder, "ours"), makeAuthority(folder, "other")]);
    client = await ours.sign("client", "DNS:uva");
    stranger = await other.sign("stranger", "DNS:uva");
    ({ url, rabbitmq } = await startTlsBroker(await ours.sign("server", "IP:127.0.0.1")));
  }, 90_000);

  afterAll(async () => {
    for (const one of brokers.splice(0)) await one.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it("carries messages for whom it knows by a client certificate", async () => {
    const broker = await connected(url, filesOf(ours, client));
    await broker.declare([work("tls.q")]);
    const { handler, seen } = collector();
    await broker.consume("tls.q", { prefetch: 1 }, handler);
    await broker.publish(message("tls.q", "m1"));
    await expect.poll(() => seen.map(({ id }: Delivery) => id)).toEqual(["m1"]);
    const figures = await readQueues({ url, tls: filesOf(ours, client), names: ["tls.q"], peek: false });
    expect(figures).toMatchObject([{ name: "tls.q", consumers: 1 }]);
  });

  it("is connected to again over TLS after it was away, with certificates renewed meanwhile", async () => {
    const renewed = { ...filesOf(ours), certFile: join(folder, "renewed.pem"), keyFile: join(folder, "renewed.key") };
    const copy = async (from: CertificateFiles) => {
      await copyFile(from.cert, renewed.certFile);
      await copyFile(from.key, renewed.keyFile);
    };
    await copy(client);
    const broker = await connected(url, renewed);
    await broker.declare([work("tls.again")]);
    // An old one would be refused now; what was read at the start does not count.
    await copy(stranger);
    await rabbitmq.restart();
    await expect.poll(() => broker.status().kind, { timeout: 10_000 }).toBe("reconnecting");
    await copy(await ours.sign("next", "DNS:uva"));
    await expect.poll(() => broker.status().kind, { timeout: 20_000 }).toBe("connected");
    await broker.publish(message("tls.again", "m2"));
  }, 90_000);

  it("is reconnected to after a cut, and left for good when it does not answer any more", async () => {
    const proxy = await openTcpProxy(Number(new URL(url).port));
    try {
      const broker = await connected(`amqps://test:test@127.0.0.1:${proxy.port}`, filesOf(ours, client));
      proxy.cut();
      await expect.poll(() => broker.status().kind).toBe("reconnecting");
      proxy.heal();
      await expect.poll(() => broker.status().kind, { timeout: 10_000 }).toBe("connected");
      const ended = new Promise((resolve) => proxiedSocketGone(proxy.port, resolve));
      proxy.silence();
      await broker.close();
      await ended;
      expect(broker.status().kind).toBe("closed");
    } finally {
      await proxy.close();
    }
  }, 60_000);

  it("refuses whoever shows no certificate", async () => {
    expect(await failureOf(url, filesOf(ours))).toMatch(/^BROKER_UNAVAILABLE: .*client certificate/);
  });

  it("refuses a certificate of another authority", async () => {
    expect(await failureOf(url, filesOf(ours, stranger))).toMatch(/^BROKER_UNAVAILABLE: .*our client certificate/);
  });

  it("is refused when another authority than ours signed its certificate", async () => {
    const sentence = "is not signed by the authority that we trust";
    expect(await failureOf(url, filesOf(other, client))).toContain(sentence);
    // None is named: only those that Node knows count, and ours is none of them.
    expect(await failureOf(url, undefined)).toContain(sentence);
  });

  it("is refused also where the environment turns certificate checks off", async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      expect(await failureOf(url, filesOf(other, client))).toContain("is not signed by the authority that we trust");
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });

  it("is refused when its certificate is for another host", async () => {
    const elsewhere = await startTlsBroker(await ours.sign("elsewhere", "DNS:broker.example.org"));
    expect(await failureOf(elsewhere.url, filesOf(ours, client))).toMatch(
      /^BROKER_UNAVAILABLE: the certificate of the broker at 127\.0\.0\.1:\d+ is for another host$/,
    );
  }, 90_000);

  it("is told apart from one without TLS", async () => {
    const plain = rabbitmq.url.replace("amqp:", "amqps:");
    expect(await failureOf(plain, filesOf(ours, client))).toContain("does not speak TLS on this port");
  });

  it.each([
    ["a key of another certificate", () => ({ ...filesOf(ours, client), keyFile: stranger.key }), /is not that of our/],
    ["a file that is no certificate", () => filesOf({ cert: join(folder, "client.ext"), key: "" }), /PEM format/],
    [
      "a file that is not there",
      () => filesOf({ cert: join(folder, "none.pem"), key: "" }),
      /none\.pem can't be read \(ENOENT\)/,
    ],
    [
      "a certificate without its key",
      () => ({ caFile: ours.cert, certFile: client.cert }),
      /INVALID_REQUEST: .*go together/,
    ],
  ])("is not reached with %s, and says so", async (_, files, sentence) => {
    expect(await failureOf(url, files())).toMatch(sentence);
  });

  it("is not reached without TLS when certificates are given", async () => {
    expect(await failureOf(rabbitmq.url, filesOf(ours, client))).toMatch(/^INVALID_REQUEST: .*amqps:\/\//);
  });
});
