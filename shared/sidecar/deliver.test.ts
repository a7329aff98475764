import { describe, expect, it } from "vitest";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createMemoryClock } from "#adapters/memory/clock";
import { createMemoryLog } from "#adapters/memory/log";
import { Envelope, ErrorCode, HopRecord, Outcome, Role } from "#contracts";
import type { Effect } from "#domain/carry-out";
import { DynamosError } from "#errors";
import { type DeliverTools, deliver } from "./deliver.ts";
import { createInHand } from "./in-hand.ts";
import { unrecorded } from "./recorder.ts";

const envelope = Envelope.fromPartial({
  queryId: "q1",
  party: "UVA",
  step: "sql-algorithm",
  attempt: 1,
  deadlineMs: 10_000,
  replyTo: "reply.exchange.1",
  chain: {
    id: "UVA",
    party: "UVA",
    role: Role.ALL,
    steps: ["sql-algorithm"],
    providers: ["UVA"],
    archetype: "computeToData",
  },
  approvals: [{ provider: "UVA", queryId: "q1", terms: { archetypes: ["computeToData"] } }],
});
const made = Outcome.fromPartial({
  decision: {
    $case: "forward",
    value: {
      payload: {
        content: {
          $case: "result",
          value: { table: { rows: 3, transfer: { name: "transfer.uva.exchange.1", chunks: 1 } } },
        },
      },
    },
  },
});
const revoked = new DynamosError(ErrorCode.REVOKED, "UVA does not allow this any more");

/** @param whileRecorded happens when the hop has ended and what it made is about to be on record */
function tools(whileRecorded: (now: { end: (error: DynamosError) => void }) => void) {
  const published: Effect[] = [];
  const dropped: string[] = [];
  const { transfers } = createMemoryExchange().connect({ party: "UVA" });
  const inHand = createInHand();
  let error: DynamosError | undefined;
  const all = {
    ...({} as DeliverTools),
    party: "UVA",
    clock: createMemoryClock(),
    log: createMemoryLog(),
    inHand,
    transfers: { ...transfers, drop: async (name: string) => void dropped.push(name) },
    errorOf: () => error,
    functionFor: () => undefined,
    outbox: { publish: async (effects: readonly Effect[]) => void published.push(...effects) },
    recorder: {
      ...unrecorded,
      hop: async () => {
        whileRecorded({
          end: (reason) => {
            error = reason;
          },
        });
        return { outcome: made, record: HopRecord.fromPartial({}) };
      },
    },
  };
  return { all, published, dropped, inHand };
}

const delivery = {
  id: "q1/UVA/0/1",
  queue: "uva.sql-algorithm",
  routingKey: "uva.sql-algorithm",
  type: "envelope" as const,
  queryId: "q1",
  body: Envelope.encode(envelope).finish(),
  traceparent: "",
  tries: 0,
  redelivered: false,
};

const contents = (published: readonly Effect[]) =>
  published.map((effect) => (effect.kind === "reply" ? effect.reply.content?.$case : effect.kind));

describe("deliver", () => {
  it("publishes what the hop made when it is still agreed", async () => {
    const { all, published, dropped } = tools(() => {});
    expect(await deliver(delivery, all)).toEqual({ kind: "done" });
    expect(contents(published)).toEqual(["result"]);
    expect(dropped).toEqual([]);
  });

  it("holds back what the hop made, and drops its rows, when that is not agreed any more by the time it is on record", async () => {
    const { all, published, dropped } = tools(({ end }) => end(revoked));
    expect(await deliver(delivery, all)).toEqual({ kind: "done" });
    expect(contents(published)).toEqual(["failure"]);
    expect(published[0]).toMatchObject({ reply: { content: { value: { code: ErrorCode.REVOKED } } } });
    expect(dropped).toEqual(["transfer.uva.exchange.1"]);
  });

  it("keeps it for another try when nobody may have waited for this sidecar", async () => {
    const lost = new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, "its place is lost");
    const { all, published, dropped } = tools(({ end }) => end(lost));
    expect(await deliver(delivery, all)).toMatchObject({ kind: "retry" });
    expect(published).toEqual([]);
    expect(dropped).toEqual(["transfer.uva.exchange.1"]);
  });

  it("holds it back also when the hop was ended while it ran and answered all the same", async () => {
    const { all, published, inHand } = tools(() => void inHand.end(() => revoked));
    await deliver(delivery, all);
    expect(contents(published)).toEqual(["failure"]);
  });
});

describe("hops in hand", () => {
  it("are over for whoever ends them when what became of them is published", async () => {
    const inHand = createInHand();
    const order: string[] = [];
    let publish = () => {};
    const held = inHand.hold(envelope, async (signal) => {
      await new Promise<void>((resolve) => {
        publish = resolve;
      });
      order.push(`published, ${signal.aborted ? "ended" : "not ended"}`);
    });
    const ended = inHand.end(() => revoked).then(() => order.push("over"));
    publish();
    await Promise.all([held, ended]);
    expect(order).toEqual(["published, ended", "over"]);
  });

  it("that nothing speaks against go on", async () => {
    const inHand = createInHand();
    let isAborted = true;
    let go = () => {};
    const held = inHand.hold(envelope, async (signal) => {
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      isAborted = signal.aborted;
    });
    await inHand.end(() => undefined);
    go();
    await held;
    expect(isAborted).toBe(false);
  });
});

describe("the control chain", () => {
  const asked = Envelope.fromPartial({
    queryId: "q1",
    party: "exchange",
    step: "policy-enforcer",
    attempt: 1,
    deadlineMs: 10_000,
    replyTo: "reply.exchange.1",
    chain: { party: "exchange", steps: ["policy-enforcer", "archetype-selector"] },
  });
  const decided = Outcome.fromPartial({
    decision: { $case: "forward", value: { payload: { content: { $case: "decision", value: {} } } } },
  });
  const planned = Outcome.fromPartial({ decision: { $case: "fanOut", value: { plan: { queryId: "q1" } } } });
  const failed = (code: ErrorCode) => Outcome.fromPartial({ decision: { $case: "failure", value: { code } } });
  const message = {
    ...delivery,
    id: "q1/control/0/1",
    queue: "exchange.policy-enforcer",
    body: Envelope.encode(asked).finish(),
  };
  const selector = { name: "archetype-selector", topic: "exchange.archetype-selector", concurrency: 1 };

  interface ControlWorld {
    readonly second: Outcome;
    /** What is on record in the first one's place. */
    readonly firstRecorded?: Outcome;
    readonly serves?: boolean;
  }

  /** @returns what was done, in its order: hops that ran, hops on record, effects */
  async function run({ second, firstRecorded = decided, serves = true }: ControlWorld) {
    const { all, published } = tools(() => {});
    const events: string[] = [];
    const record = HopRecord.fromPartial({});
    let secondRan = () => {};
    const untilSecond = serves
      ? new Promise<void>((resolve) => {
          secondRan = resolve;
        })
      : Promise.resolve();
    const recorder = {
      ...unrecorded,
      ended: ({ step }: Envelope) => void events.push(`${step} came to nothing`),
      hop: async ({ step }: Envelope, _: number, __: AbortSignal, { ran }: Parameters<typeof unrecorded.hop>[3]) => {
        events.push(`${step} ran`);
        const result = { outcome: step === "policy-enforcer" ? decided : second, record };
        ran?.(result);
        if (step === "policy-enforcer") await untilSecond;
        else secondRan();
        events.push(`${step} on record`);
        return step === "policy-enforcer" && firstRecorded !== decided ? { outcome: firstRecorded, record } : result;
      },
    };
    const outbox = {
      publish: async (effects: readonly Effect[]) => {
        published.push(...effects);
        events.push(...effects.map(({ kind, routingKey }) => `${kind} ${routingKey}`));
      },
    };
    const functionFor = () => (serves ? selector : undefined);
    return {
      disposition: await deliver(message, { ...all, party: "exchange", recorder, outbox, functionFor }),
      events,
    };
  }

  it("goes on at once where its next step is served, and publishes when both are on record", async () => {
    expect(await run({ second: planned })).toEqual({
      disposition: { kind: "done" },
      events: [
        "policy-enforcer ran",
        "archetype-selector ran",
        "archetype-selector on record",
        "policy-enforcer on record",
        "reply reply.exchange.1",
      ],
    });
  });

  it.each([ErrorCode.FUNCTION_UNAVAILABLE, ErrorCode.INTERNAL])(
    "gives the next step its message after a failure of code %i, so that it is tried again by itself",
    async (code) => {
      const { disposition, events } = await run({ second: failed(code) });
      expect(disposition).toEqual({ kind: "done" });
      expect(events.slice(-1)).toEqual(["send exchange.archetype-selector"]);
    },
  );

  it("gives the next step its message where it is not served", async () => {
    const { events } = await run({ second: planned, serves: false });
    expect(events).toEqual(["policy-enforcer ran", "policy-enforcer on record", "send exchange.archetype-selector"]);
  });

  it("publishes nothing of the second when the first can't be recorded", async () => {
    const { disposition, events } = await run({
      second: planned,
      firstRecorded: failed(ErrorCode.RECORD_UNAVAILABLE),
    });
    expect(disposition.kind).toBe("retry");
    expect(events.slice(-2)).toEqual(["policy-enforcer on record", "archetype-selector came to nothing"]);
  });
});
