/** What a failed query held is free soon after its asker was told, long before its deadline. Over both brokers. */
import { afterEach, describe, expect, inject, it } from "vitest";
import { type Envelope, ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { TableFlow } from "#runtime/table-flow";
import { type Asked, askMadeUp } from "#testing/mortal/ask-made-up";
import { type Links, memoryLinks } from "#testing/mortal/links";
import { disturbed, madeUpSteps } from "#testing/mortal/made-up-steps";
import { type MortalWorld, mortalLinks, mortalParties, openMortalWorld } from "#testing/mortal/world";

type Disturbance = (envelope: Envelope, flow: TableFlow) => Promise<void>;

const amqpUrl = inject("amqpUrl");
const small: Asked = { seed: 1, bytes: 500, answers: "digest", archetype: "dataThroughTtp" };
const large: Asked = { ...small, bytes: 600 * 1_024 };
/** Far beyond the time in which everything must be free. */
const timeoutMs = 60_000;
const freeMsMax = 2_000;

const invalid = () => new DynamosError(ErrorCode.SQL_INVALID, "syntax error");
const fails: Disturbance = async () => {
  throw invalid();
};
const hangs: Disturbance = () => new Promise(() => {});

function failedQueryTests(linksOf: () => Links): void {
  let world: MortalWorld;
  afterEach(() => world?.close(), 60_000);

  /** @param disturbances by party and step: `VU sql-query` */
  async function open(disturbances: Readonly<Record<string, Disturbance>>): Promise<void> {
    const steps = Object.entries(madeUpSteps).map(([party, own]) => [
      party,
      own.map((step) => disturbed(step, disturbances[`${party} ${step.name}`] ?? (async () => {}))),
    ]);
    world = await openMortalWorld({ links: linksOf(), steps: Object.fromEntries(steps) });
    for (const party of mortalParties) await world.start(party);
  }

  async function expectFailureThatFrees(asked: Asked, code: string): Promise<void> {
    expect((await askMadeUp(world, asked, timeoutMs)).kind).toBe(code);
    await expect
      .poll(() => ({ isIdle: world.isIdle(), transfers: [...world.transfers] }), { timeout: freeMsMax })
      .toEqual({ isIdle: true, transfers: [] });
  }

  const partsHeld = () => world.alive("SURF").reduce((sum, { sidecar }) => sum + sidecar.status().openGathers, 0);
  const oncePartsAreHeld: Disturbance = async () => {
    await expect.poll(partsHeld, { timeout: 10_000 }).toBe(1);
    throw invalid();
  };

  it("ends an invocation that still runs at another provider", async () => {
    await open({ "VU sql-query": fails, "UVA sql-query": hangs });
    await expectFailureThatFrees(small, "SQL_INVALID");
  });

  it("lets go of the part that waits at the third party", async () => {
    await open({ "VU sql-query": oncePartsAreHeld });
    await expectFailureThatFrees(small, "SQL_INVALID");
  });

  it("drops the large part that waits at the third party", async () => {
    await open({ "VU sql-query": oncePartsAreHeld });
    await expectFailureThatFrees(large, "SQL_INVALID");
  });

  it("drops the large part that comes after another provider has failed", async () => {
    let release: () => void = () => {};
    const told = new Promise<void>((resolve) => {
      release = resolve;
    });
    await open({ "VU sql-query": fails, "UVA sql-anonymize": () => told });
    const end = expectFailureThatFrees(large, "SQL_INVALID");
    await expect.poll(() => world.replies.some(({ content }) => content?.$case === "failure")).toBe(true);
    release();
    await end;
  });

  it("drops what a step had sent of a large table before it failed", async () => {
    await open({
      "VU sql-query": async (_, { emit }) => {
        for (let i = 0; i < 8; i++) await emit(Buffer.alloc(128 * 1_024, i));
        throw invalid();
      },
    });
    await expectFailureThatFrees(large, "SQL_INVALID");
  });

  it("drops both large parts when the third party's step fails", async () => {
    await open({ "SURF sql-aggregate": fails });
    await expectFailureThatFrees(large, "SQL_INVALID");
  });

  it("drops the united table when the step after it fails", async () => {
    await open({ "SURF sql-algorithm": fails });
    await expectFailureThatFrees(large, "SQL_INVALID");
  });
}

describe("a failed query, over the in-memory broker", () => failedQueryTests(memoryLinks));

describe.skipIf(amqpUrl === "")("a failed query, over RabbitMQ", () => {
  failedQueryTests(() => mortalLinks(amqpUrl));
});
