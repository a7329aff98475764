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
