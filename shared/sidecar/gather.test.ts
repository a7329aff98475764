/** The gather survives its holder. Over the in-memory broker and over RabbitMQ. */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { systemClock } from "#adapters/system/clock";
import { type Chain, Envelope, type Failure, type Knowledge, type Query, Role } from "#contracts";
import { evaluate } from "#domain/policy";
import { gatherTopic, hopId } from "#domain/route";
import { signedApproval } from "#testing/approval-keys";
import { type Asked, askMadeUp } from "#testing/mortal/ask-made-up";
import { type Links, memoryLinks } from "#testing/mortal/links";
import { madeUpBytes, sqlOf } from "#testing/mortal/made-up-steps";
import { type MortalWorld, mortalLinks, mortalParties, openMortalWorld } from "#testing/mortal/world";
import { type KnowledgeCache, openKnowledgeCache } from "./knowledge-cache.ts";

const amqpUrl = inject("amqpUrl");
const asked: Asked = { seed: 7, bytes: 500, answers: "digest", archetype: "dataThroughTtp" };

const chain: Chain = {
  id: "gather-SURF",
  party: "SURF",
  role: Role.COMPUTE_PROVIDER,
  archetype: "dataThroughTtp",
  steps: ["sql-aggregate", "sql-algorithm"],
  providers: ["UVA", "VU"],
  gatherAt: "",
};

const user = "researcher@example.org";

interface PartOptions {
  readonly queryId: string;
  readonly party: string;
  readonly replyTo: string;
  readonly deadlineMs: number;
  readonly failure?: Failure;
  readonly knowledge: Knowledge;
}

/** As a provider's last hop sends it. */
function part({ queryId, party, replyTo, deadlineMs, failure, knowledge }: PartOptions): Envelope {
  const bytes = madeUpBytes(party, asked);
  const table = { arrowIpc: bytes, rows: bytes.length, transfer: undefined };
  const result = { table, chart: undefined, document: undefined };
  const payload = failure === undefined ? { content: { $case: "result" as const, value: result } } : undefined;
  const query: Query = {
    id: queryId,
    requestType: "sqlDataRequest",
    user: { id: "", name: user },
    providers: ["UVA", "VU"],
    sql: sqlOf(asked),
    dataSets: [],
    algorithm: undefined,
    options: {},
    purpose: "",
    reuse: undefined,
  };
  const { decision } = evaluate(query, party, knowledge, Date.now());
  if (decision?.$case !== "terms") throw new RangeError(`${party} refuses`);
  // UVA demands it, and so it runs at both.
  const steps = ["sql-query", "sql-anonymize"];
  const own = { party, role: Role.DATA_PROVIDER, steps, providers: [party], gatherAt: chain.id };
  return {
    ...Envelope.fromPartial({ queryId, party, step: "sql-anonymize", hop: 2, attempt: 1, deadlineMs, replyTo }),
    query,
    chain: { ...chain, ...own, id: party },
    gather: chain,
    approvals: [
      signedApproval({ queryId, query, replyTo, attempt: 1, deadlineMs }, { provider: party, terms: decision.value }),
    ],
    inputs: [{ provider: party, payload, failure }],
  };
}

/** Long: the machine may be busy. */
const until = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 });

function gatherTests(linksOf: () => Links): void {
  let world: MortalWorld;
  let cache: KnowledgeCache;
  beforeAll(async () => {
    world = await openMortalWorld({ links: linksOf() });
    const { knowledge, log } = world;
    cache = await openKnowledgeCache({ knowledge, exchangeParty: "exchange", clock: systemClock, log });
  }, 60_000);
  beforeEach(async () => {
    for (const party of mortalParties) {
      if (world.alive(party).length === 0) await world.start(party);
    }
  });
  afterEach(async () => {
    await Promise.all(world.alive("SURF").map((mortal) => mortal.stop()));
  });
  afterAll(async () => {
    cache?.close();
    await world?.close();
  }, 60_000);

  const openGathers = () => world.alive("SURF").map(({ sidecar }) => sidecar.status().openGathers);
  const repliesOf = (queryId: string) =>
    world.replies
      .filter((reply) => reply.queryId === queryId)
      .map(({ content }) => (content?.$case === "failure" ? content.value.message : content?.$case));

  /** The asker's own queue, so that its replies are seen. */
  function replyTo(): string {
    const queue = world.asker.replyTo;
    if (queue === undefined) throw new Error("the asker has no reply queue");
    return queue;
  }

  async function send(queryId: string, party: string, more: Partial<PartOptions> = {}): Promise<void> {
    const deadlineMs = Date.now() + 10_000;
    const envelope = part({
      queryId,
      party,
      replyTo: replyTo(),
      deadlineMs,
      knowledge: cache.about([party], user),
      ...more,
    });
    await world.asker.link.broker.publish({
      id: hopId(queryId, envelope.chain?.id ?? "", envelope.hop, envelope.attempt),
      routingKey: gatherTopic("SURF"),
      type: "envelope",
      queryId,
      body: Envelope.encode(envelope).finish(),
      traceparent: "",
      expiresInMs: Math.max(1, envelope.deadlineMs - Date.now()),
    });
  }

  it("goes on at the sidecar that stands by when the one that holds a part dies", async () => {
    const queryId = randomUUID();
    await world.start("SURF");
    await send(queryId, "UVA");
    await until(openGathers).toEqual(expect.arrayContaining([1]));
    const holder = world.alive("SURF").find(({ sidecar }) => sidecar.status().openGathers === 1);
    await holder?.kill();
    await until(openGathers).toEqual([1]);
    await send(queryId, "VU");
    await until(() => repliesOf(queryId)).toEqual(["result"]);
    await until(openGathers).toEqual([0]);
  });

  it("goes on at the sidecar that is started after the one that held a part died", async () => {
    const queryId = randomUUID();
    await send(queryId, "UVA");
    await until(openGathers).toEqual([1]);
    await world.alive("SURF")[0]?.kill();
    await send(queryId, "VU");
    await world.start("SURF");
    await until(() => repliesOf(queryId)).toEqual(["result"]);
  });

  it("goes on elsewhere when the sidecar that holds a part is stopped", async () => {
    const queryId = randomUUID();
    await send(queryId, "VU");
    await until(openGathers).toEqual([1]);
    const [first] = world.alive("SURF");
    await world.start("SURF");
    await first?.stop();
    await send(queryId, "UVA");
    await until(() => repliesOf(queryId)).toEqual(["result"]);
  });

  it("ends by name before the deadline when a part is missing, and holds nothing then", async () => {
    const queryId = randomUUID();
    await send(queryId, "UVA", { deadlineMs: Date.now() + 600 });
    await until(() => repliesOf(queryId)).toEqual(["no part from VU before the deadline"]);
    await until(openGathers).toEqual([0]);
  });

  it("ends by name before the deadline also when the part has changed hands", async () => {
    const queryId = randomUUID();
    await send(queryId, "UVA", { deadlineMs: Date.now() + 1_500 });
    await until(openGathers).toEqual([1]);
    await world.alive("SURF")[0]?.kill();
    await world.start("SURF");
    await until(() => repliesOf(queryId)).toEqual(["no part from VU before the deadline"]);
  });

  it("counts a part that comes again once", async () => {
    const queryId = randomUUID();
    await send(queryId, "UVA");
    await send(queryId, "UVA");
    await send(queryId, "UVA");
    await until(openGathers).toEqual([1]);
    await send(queryId, "VU");
    await send(queryId, "VU");
    await until(() => repliesOf(queryId)).toEqual(["result"]);
    await send(queryId, "UVA");
    await until(() => world.isIdle()).toBe(true);
    expect(repliesOf(queryId)).toEqual(["result"]);
  });

  it("never unites parts of two queries", async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    await send(one, "UVA");
    await send(other, "VU");
    await until(openGathers).toEqual([2]);
    await send(other, "UVA");
    await until(() => repliesOf(other)).toEqual(["result"]);
    expect(repliesOf(one)).toEqual([]);
    await send(one, "VU");
    await until(() => repliesOf(one)).toEqual(["result"]);
  });

  it("shares the work on the merged parts between the sidecars of the party", async () => {
    const second = await world.start("SURF");
    const ends = await Promise.all(
      Array.from({ length: 12 }, (_, seed) => askMadeUp(world, { ...asked, seed }, 20_000)),
    );
    expect(ends.map(({ kind }) => kind)).toEqual(ends.map(() => "right"));
    const worked = world.alive("SURF").map(({ life }) => life.taken("surf.sql-aggregate"));
    expect(world.alive("SURF")).toContain(second);
    expect(worked.every((count) => count > 0)).toBe(true);
    expect(worked.reduce((sum, count) => sum + count, 0)).toBe(12);
    // Its parts meet at one of them.
    expect(world.alive("SURF").filter(({ life }) => life.taken("surf.gather") > 0)).toHaveLength(1);
  });
}

describe("a gather, over the in-memory broker", () => gatherTests(memoryLinks));

describe.skipIf(amqpUrl === "")("a gather, over RabbitMQ", () => {
  gatherTests(() => mortalLinks(amqpUrl));
});
