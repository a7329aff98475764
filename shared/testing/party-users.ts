/** A RabbitMQ of the test's own in which each party has its user, as `dynamos broker definitions` makes them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAmqp } from "#adapters/amqp/broker";
import { createMemoryLog } from "#adapters/memory/log";
import { cancelTopic, gatherTopic, replyTopic } from "#domain/route";
import type { Broker, Queue } from "#ports/broker";
import { definitionsOf } from "../../cli/broker/definitions.ts";
import { newPassword, passwordHash } from "../../cli/broker/password-hash.ts";
import { collector, work } from "./broker-contract/kit.ts";
import { type RabbitMq, startRabbitmq } from "./rabbitmq.ts";

export interface PartyUsers {
  readonly rabbitmq: RabbitMq;
  /** Of the party's own user. */
  urlOf(party: string): string;
  /** A party's connection; closed with the others by `closeAll`. */
  connect(party: string, url?: string): Promise<Broker>;
  /** One that declares these queues and keeps what comes in. */
  listen(party: string, ...queues: Queue[]): Promise<Listening>;
  closeAll(): Promise<void>;
  stop(): Promise<void>;
}

export interface Listening {
  readonly broker: Broker;
  /** Id and sender of each delivery so far. */
  senders(): [string, string | undefined][];
}

export const usersParties = [
  { name: "exchange", roles: ["exchange"] },
  { name: "UVA", roles: ["dataProvider"] },
  { name: "VU", roles: ["dataProvider"] },
  { name: "SURF", roles: ["computeProvider"] },
];

const vhost = "dynamos";

export async function startPartyUsers(parties = usersParties): Promise<PartyUsers> {
  const rabbitmq = await startRabbitmq();
  try {
    const passwords = new Map(parties.map(({ name }) => [name.toLowerCase(), newPassword()]));
    const passwordHashes = new Map([...passwords].map(([user, password]) => [user, passwordHash(password)]));
    await importDefinitions(rabbitmq, definitionsOf({ parties, vhost, passwordHashes }));
    const at = `127.0.0.1:${rabbitmq.port}/${vhost}`;
    const urlOf = (party: string) => `amqp://${party.toLowerCase()}:${passwords.get(party.toLowerCase())}@${at}`;
    return { rabbitmq, urlOf, ...connections(urlOf), stop: () => rabbitmq.stop() };
  } catch (error) {
    await rabbitmq.stop();
    throw error;
  }
}

function connections(urlOf: (party: string) => string): Pick<PartyUsers, "connect" | "listen" | "closeAll"> {
  const open: Broker[] = [];
  async function connect(party: string, url = urlOf(party)): Promise<Broker> {
    const broker = await connectAmqp({ url, party, log: createMemoryLog() });
    open.push(broker);
    return broker;
  }
  return {
    connect,
    listen: async (party, ...queues) => {
      const broker = await connect(party);
      const { handler, seen } = collector();
      await broker.declare(queues);
      for (const { name } of queues) await broker.consume(name, { prefetch: 4 }, handler);
      return { broker, senders: () => seen.map(({ id, sender }) => [id, sender]) };
    },
    closeAll: async () => {
      for (const broker of open.splice(0)) await broker.close();
    },
  };
}

/** The queue of replies to a party's only sidecar. */
export const replies = (party: string): Queue => ({
  name: replyTopic(party, "i1"),
  bindings: [replyTopic(party, "i1"), cancelTopic],
  kind: "private",
});

export const surfGather: Queue = { ...work(gatherTopic("SURF")), singleActive: true };

export async function importDefinitions(rabbitmq: RabbitMq, definitions: object): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-definitions-"));
  try {
    const file = join(folder, "definitions.json");
    await writeFile(file, JSON.stringify(definitions), { mode: 0o600 });
    await rabbitmq.control("import_definitions", file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
