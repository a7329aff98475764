/** A change while queries run: nothing that it does not allow leaves after it is acknowledged. Over both brokers. */
import { afterEach, describe, expect, inject, it } from "vitest";
import { type Envelope, type Outcome, Reply, Envelope as Wire } from "#contracts";
import { agreementKey, archetypeKey } from "#domain/knowledge-keys";
import type { Broker, Message } from "#ports/broker";
import { type ActedWorld, actedParties, actedQueues, documentOf, openActedWorld } from "#testing/acted-world";
import { brokerLinks } from "#testing/broker-links";

const amqpUrl = inject("amqpUrl");
const inFlight = 50;
const user = "researcher@example.org";
const other = "other@example.org";
const both = ["UVA", "VU"];

const relation = {
  requestTypes: ["sqlDataRequest"],
  dataSets: ["wageGap"],
  allowedArchetypes: ["computeToData", "dataThroughTtp"],
  allowedComputeProviders: ["SURF"],
};
const agreement = (name: string, relations: object) => ({
  name,
  relations,
  computeProviders: ["SURF"],
  archetypes: ["computeToData", "dataThroughTtp"],
  ...(name === "UVA" ? { demandedSteps: { sqlDataRequest: ["sql-anonymize"] } } : {}),
});

/** Of computeToData, so that each is the lightest once. */
const weights = { computeToData: 100, dataThroughTtp: 300 } as const;
type ArchetypeName = keyof typeof weights;

/** Where the queries are held when the change comes. */
const hops: Readonly<Record<ArchetypeName, readonly string[]>> = {
  computeToData: [
    "exchange policy-enforcer",
    "exchange archetype-selector",
    "UVA sql-query",
    "UVA sql-anonymize",
    "UVA sql-algorithm",
  ],
  dataThroughTtp: [
    "exchange policy-enforcer",
    "exchange archetype-selector",
    "UVA sql-query",
    "UVA sql-anonymize",
    // UVA's part waits in the gather.
    "VU sql-query",
    "SURF sql-aggregate",
    "SURF sql-algorithm",
  ],
};

interface Cause {
  /** What UVA has agreed with the user from then on; undefined: nothing with anybody. */
  readonly after: (archetype: ArchetypeName) => object | undefined;
  /** Whether UVA's data may still be used, otherwise than before. */
  readonly goesOn: boolean;
}

/** Who answers for VU. */
const answeringAt = { computeToData: "VU", dataThroughTtp: "SURF" } as const;
const otherOf = (archetype: ArchetypeName) => (archetype === "computeToData" ? "dataThroughTtp" : "computeToData");
const causes: Readonly<Record<string, Cause>> = {
  "the user is removed": { after: () => agreement("UVA", {}), goesOn: false },
  "the agreement is removed": { after: () => undefined, goesOn: false },
  "a column is removed": {
    after: () => agreement("UVA", { [user]: { ...relation, deniedColumns: { Personen: ["Naam"] } } }),
    goesOn: true,
  },
  "the archetype is removed": {
    after: (archetype) => agreement("UVA", { [user]: { ...relation, allowedArchetypes: [otherOf(archetype)] } }),
    goesOn: true,
  },
};

interface Sent {
  readonly party: string;
  readonly message: Message;
}

interface Tap {
  /** Every message of every party, in the order in which they were handed to the broker. */
  readonly sent: Sent[];
  /** The queries whose plan has reached those who ask. */
  readonly planned: Set<string>;
}

function tapped(broker: Broker, party: string, { sent, planned }: Tap, losesCancels: boolean): Broker {
  const publish: Broker["publish"] = async (message) => {
    sent.push({ party, message });
    if (losesCancels && message.type === "control") return;
    await broker.publish(message);
  };
  const consume: Broker["consume"] = (queue, options, handler) =>
    broker.consume(queue, options, async (delivery) => {
      const disposition = await handler(delivery);
      const isPlan = delivery.type === "reply" && Reply.decode(delivery.body).content?.$case === "plan";
      if (isPlan) planned.add(delivery.queryId);
      return disposition;
    });
  return new Proxy(broker, {
    get: (target, name) => {
      if (name === "publish") return publish;
      if (name === "consume") return consume;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function attemptOf({ type, body, queryId }: Message): string {
  const attempt = type === "reply" ? Reply.decode(body).attempt : Wire.decode(body).attempt;
  return `${queryId}/${attempt}`;
}

/** The data of all whose data came in, as each step hands it on. */
function handsOn({ inputs, party, step }: Envelope): Outcome {
  const own = step === "sql-query" ? [`canary-of-${party}`] : [];
  const taken = inputs.flatMap(({ payload }) => {
    const content = payload?.content;
    return content?.$case === "result" ? [String(content.value.document?.body)] : [];
  });
  return documentOf(Buffer.from(JSON.stringify([...own, ...taken])));
}

/** @param losesCancels whether parties must do without the word of the exchange */
function changeTests(url: string, losesCancels = false) {
  let acted: ActedWorld;
  let sent: Sent[];
  let links: ReturnType<typeof brokerLinks>;
  let release: () => void;
  let isHeld: () => boolean;

  afterEach(async () => {
    release();
    await acted?.world.close();
    await links.remove();
  }, 60_000);

  /** @param place `VU sql-query`: where hops wait until `release` */
  async function open(archetype: ArchetypeName, place: string): Promise<void> {
    const tap: Tap = { sent: [], planned: new Set() };
    sent = tap.sent;
    const held = new Set<string>();
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const holdUnplanned = async () => {
      isHeld = () => true;
      await gate;
    };
    // A step may begin before its plan has reached those who ask, and by them a query without a plan had nothing yet.
    isHeld = () => [...held].some((queryId) => tap.planned.has(queryId));
    links = brokerLinks(url, { queues: actedQueues, parties: actedParties });
    acted = await openActedWorld(async (party) => tapped(await links.connect(party), party, tap, losesCancels), {
      beforePolicy: place === "exchange policy-enforcer" ? holdUnplanned : async () => {},
      beforeSelection: place === "exchange archetype-selector" ? holdUnplanned : async () => {},
    });
    for (const party of ["UVA", "VU", "SURF"]) {
      for (const step of ["sql-query", "sql-anonymize", "sql-aggregate", "sql-algorithm"]) {
        acted.behaviours[`${party} ${step}`] = async (envelope) => {
          if (place === `${party} ${step}` && envelope.query?.user?.name === user) {
            held.add(envelope.queryId);
            await gate;
          }
          return handsOn(envelope);
        };
      }
    }
    await put(agreementKey("UVA"), agreement("UVA", { [user]: relation }));
    const atHome = { name: "computeToData", computeProvider: "dataProvider", resultRecipient: "requestor" };
    await put(archetypeKey(atHome.name), { ...atHome, weight: weights[archetype] });
    await put(agreementKey("VU"), agreement("VU", { [user]: relation, [other]: relation }));
  }

  async function put(key: string, value: object | undefined): Promise<number> {
    const { knowledge, api } = acted.world;
    const revision =
      value === undefined ? ((await knowledge.delete(key)) ?? 0) : await knowledge.put(key, JSON.stringify(value));
    expect((await api.applied(revision, 10_000)).waiting).toEqual([]);
    return revision;
  }

  const ask = (query: object) => acted.world.ask({ sql: "SELECT 1", providers: both, ...query }, { timeoutMs: 60_000 });

  /** What of UVA's data another party or the asker was sent since, of attempts that were approved before the revision. */
  function leaked(since: number, revision: number): string[] {
    const envelopes = sent.filter(({ message }) => message.type === "envelope");
    const approvedBefore = new Set(
      envelopes.flatMap(({ message }) => {
        const own = Wire.decode(message.body).approvals.find(({ provider }) => provider === "UVA");
        return own?.terms !== undefined && own.terms.agreementRevision < revision ? [attemptOf(message)] : [];
      }),
    );
    return sent.slice(since).flatMap(({ party, message }) => {
      const isInside =
        message.routingKey.startsWith(`${party.toLowerCase()}.`) && !message.routingKey.endsWith(".gather");
      const isOfUva = Buffer.from(message.body).includes("canary-of-UVA");
      return !isInside && isOfUva && approvedBefore.has(attemptOf(message))
        ? [`${party} to ${message.routingKey}`]
        : [];
    });
  }

  for (const archetype of Object.keys(weights) as ArchetypeName[]) {
    for (const hop of hops[archetype]) {
      it.each(Object.entries(causes))(
        `holds back what is not allowed in ${archetype} at ${hop} once %s`,
        async (_, cause) => {
          await open(archetype, hop);
          const asking = Array.from({ length: inFlight }, () => ask({}));
          const others = Array.from({ length: 5 }, () => ask({ providers: ["VU"], user: { id: "", name: other } }));
          await expect.poll(() => isHeld(), { timeout: 20_000 }).toBe(true);
          const revision = await put(agreementKey("UVA"), cause.after(archetype));
          const since = sent.length;
          release();
          const answers = await Promise.all(asking);
          expect(leaked(since, revision)).toEqual([]);
          for (const { status, body } of answers) {
            expect({ status, refused: codesOf(body), from: partiesOf(body) }).toEqual(expected(archetype, cause));
          }
          // Those that were planned before had it withdrawn; the others never had it.
          const codes = answers.flatMap(({ body }) => codesOf(body).map(([, code]) => code));
          expect(codes.includes("REVOKED")).toBe(!cause.goesOn && !hop.startsWith("exchange"));
          for (const { status, body } of await Promise.all(others)) {
            expect({ status, from: partiesOf(body) }).toEqual({ status: 200, from: [answeringAt[archetype]] });
          }
        },
        // The queries' own time: a machine that does much else needs more than the default.
        90_000,
      );
    }
  }

  function expected(archetype: ArchetypeName, { goesOn }: Cause) {
    if (goesOn) return { status: 200, refused: [], from: expect.arrayContaining([expect.any(String)]) };
    return {
      status: 200,
      refused: [["UVA", expect.stringMatching(/^(DENIED|REVOKED)$/)]],
      from: [answeringAt[archetype]],
    };
  }
}

const partiesOf = (body: Readonly<Record<string, unknown>>) =>
  ((body.results ?? []) as { party: string }[]).map(({ party }) => party);
const codesOf = (body: Readonly<Record<string, unknown>>) =>
  ((body.refused ?? []) as { provider: string; code: string }[]).map(({ provider, code }) => [provider, code]);

describe("a change, over the in-memory broker", () => changeTests("memory"));
describe("a change of which nobody is told, over the in-memory broker", () => changeTests("memory", true));
describe.skipIf(amqpUrl === "")("a change, over RabbitMQ", () => changeTests(amqpUrl));
