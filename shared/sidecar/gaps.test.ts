/**
 * A sidecar dies in each gap of its work, its connection with it; the other one of its party
 * finishes the query. Over the in-memory broker and over RabbitMQ.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { type Asked, askMadeUp } from "#testing/mortal/ask-made-up";
import type { Gap } from "#testing/mortal/life";
import { type Links, memoryLinks } from "#testing/mortal/links";
import { type MortalWorld, mortalLinks, mortalParties, openMortalWorld } from "#testing/mortal/world";

const amqpUrl = inject("amqpUrl");
const timeoutMs = 15_000;

interface Place {
  readonly title: string;
  readonly queue: string;
  /** Where its work is sent to. */
  readonly next: RegExp;
}

/** Both are called in one delivery. */
const control: Place = { title: "the control steps", queue: "exchange.policy-enforcer", next: /^vu\./ };
const firstStep: Place = { title: "a provider's first step", queue: "uva.sql-query", next: /^uva\.sql-anonymize$/ };
const partStep: Place = { title: "the step that sends a part", queue: "uva.sql-anonymize", next: /^surf\.gather$/ };
const gather: Place = { title: "the gather", queue: "surf.gather", next: /^surf\.sql-aggregate$/ };
const mergedStep: Place = {
  title: "the step on the merged parts",
  queue: "surf.sql-aggregate",
  next: /^surf\.sql-algorithm$/,
};
const lastStep: Place = { title: "the step that answers", queue: "surf.sql-algorithm", next: /^reply\./ };

const places = [control, firstStep, partStep, gather, mergedStep, lastStep];
const gaps: Readonly<Record<string, Gap>> = {
  "it was taken": "taken",
  "its function was invoked": "invoked",
  "its effect was published": "published",
  "its effect was confirmed": "confirmed",
  "it was acknowledged": "acknowledged",
};
const small: Asked = { seed: 1, bytes: 500, answers: "digest", archetype: "dataThroughTtp" };
const large: Asked = { ...small, bytes: 300 * 1_024 };

/** Where a place reaches a gap, as the dying sidecar would name it. */
function isAt({ queue, next }: Place, gap: Gap, at: string): boolean {
  if (gap === "published") return next.test(at);
  if (gap === "invoked") return at === queue.replace(".", "-");
  return at === queue;
}

function gapTests(linksOf: () => Links): void {
  let world: MortalWorld;
  let dies: (gap: Gap, at: string) => boolean;
  let deaths = 0;

  beforeAll(async () => {
    world = await openMortalWorld({
      links: linksOf(),
      dies: ({ gap, at }) => {
        if (deaths > 0 || !dies(gap, at)) return false;
        deaths += 1;
        return true;
      },
    });
  }, 60_000);
  beforeEach(async () => {
    dies = () => false;
    for (const party of mortalParties) {
      while (world.alive(party).length < 2) await world.start(party);
    }
  });
  afterAll(() => world?.close(), 60_000);

  async function expectOneRightAnswer(asked: Asked, at: typeof dies): Promise<void> {
    deaths = 0;
    dies = at;
    const end = await askMadeUp(world, asked, timeoutMs);
    expect(end).toMatchObject({ kind: "right", detail: "" });
    await expect.poll(() => deaths).toBe(1);
    await expect.poll(() => world.isIdle(), { timeout: 10_000 }).toBe(true);
    // A repeated reply has the same id and counts once: never another answer, nor a failure beside it.
    const replies = world.replies.filter(({ queryId }) => queryId === end.queryId);
    const answers = replies.filter(({ content }) => content?.$case !== "plan");
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.map(({ content }) => content?.$case)).toEqual(answers.map(() => "result"));
  }

  for (const place of places) {
    for (const [when, gap] of Object.entries(gaps)) {
      if (place === gather && gap === "invoked") continue;
      it(`gives one answer when a sidecar dies at ${place.title}, after ${when}`, async () => {
        await expectOneRightAnswer(small, (reached, at) => reached === gap && isAt(place, gap, at));
      });
    }
  }

  it("gives one answer when a sidecar dies between the two control steps", async () => {
    await expectOneRightAnswer(small, (gap, at) => gap === "invoked" && at === "exchange-archetype-selector");
  });

  for (const place of [partStep, gather, mergedStep]) {
    for (const [when, gap] of Object.entries(gaps)) {
      if (place === gather && gap === "invoked") continue;
      it(`gives one answer over large tables when a sidecar dies at ${place.title}, after ${when}`, async () => {
        await expectOneRightAnswer(large, (reached, at) => reached === gap && isAt(place, gap, at));
      });
    }
  }

  it("gives one answer when a sidecar dies after the first chunk of a large table", async () => {
    await expectOneRightAnswer(large, (gap, at) => gap === "chunk" && at.startsWith("transfer.uva.surf."));
  });

  it("gives one answer when a sidecar dies after it has dropped the tables that it has read", async () => {
    await expectOneRightAnswer(large, (gap, at) => gap === "dropped" && at.startsWith("transfer.uva.uva."));
  });

  it("gives one answer when the third party's sidecar dies after it has dropped a part", async () => {
    await expectOneRightAnswer(large, (gap, at) => gap === "dropped" && at.startsWith("transfer.uva.surf."));
  });
}

describe("a sidecar that dies, over the in-memory broker", () => gapTests(memoryLinks));

describe.skipIf(amqpUrl === "")("a sidecar that dies, over RabbitMQ", () => {
  gapTests(() => mortalLinks(amqpUrl));
});
