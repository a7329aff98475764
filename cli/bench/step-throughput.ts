/**
 * Messages through one step, at several prefetches, beside a bare amqplib consumer of the same
 * queue in the same run: what our guarantees cost over the least that a consumer can do.
 *
 * - `bare, ack`: takes a message and acknowledges it.
 * - `bare, reply`: takes it, publishes a reply with confirm, and only then acknowledges it.
 * - `sidecar`: takes it, invokes the step in this process, publishes its reply and acknowledges.
 */
import { randomUUID } from "node:crypto";
import { connect } from "amqplib";
import { connectAmqp } from "#adapters/amqp/broker";
import { removeAll } from "#adapters/amqp/remove-all";
import { namesWith } from "#adapters/amqp/topology";
import { createMemoryInvoker } from "#adapters/memory/invoker";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog } from "#adapters/memory/log";
import { systemClock } from "#adapters/system/clock";
import { Envelope } from "#contracts";
import { forwardResult } from "#domain/outcome";
import type { Message } from "#ports/broker";
import { defineStep } from "#runtime/define-step";
import { startSidecar } from "#sidecar/start-sidecar";
import { testApprovalKeys } from "#testing/approval-keys";
import { madeDocuments, madeEnvelope } from "#testing/made-chain";
import { textTable } from "../print/text-table.ts";
import { median } from "./statistics.ts";

export interface StepBenchOptions {
  readonly url: string;
  readonly messages: number;
  readonly prefetches: readonly number[];
  readonly rounds: number;
}

const ways = ["bare, ack", "bare, reply", "sidecar"] as const;
type Way = (typeof ways)[number];

const step = defineStep({
  name: "echo",
  isolation: "shared",
  accepts: "nothing",
  facts: () => undefined,
  decide: () =>
    forwardResult({
      table: undefined,
      chart: undefined,
      document: { mediaType: "text/plain", body: Buffer.alloc(200) },
    }),
});

const queue = "uva.echo";

export async function benchStep(options: StepBenchOptions, say: (line: string) => void): Promise<void> {
  const perSecond = new Map<string, number[]>();
  for (let round = 1; round <= options.rounds; round++) {
    for (const prefetch of options.prefetches) {
      say(`round ${round} of ${options.rounds}: ${options.messages} messages each way at prefetch ${prefetch}`);
      for (const way of ways) {
        const key = `${way}/${prefetch}`;
        perSecond.set(key, [...(perSecond.get(key) ?? []), await measured(way, prefetch, options)]);
      }
    }
  }
  const rate = (way: Way, prefetch: number) => median(perSecond.get(`${way}/${prefetch}`) ?? []);
  say(
    textTable({
      columns: [
        { name: "prefetch" },
        ...ways.map((way) => ({ name: `${way} /s`, type: "int64" })),
        { name: "sidecar : bare, reply" },
        { name: "sidecar : bare, ack" },
      ],
      rows: options.prefetches.map((prefetch) => [
        prefetch,
        ...ways.map((way) => Math.round(rate(way, prefetch))),
        (rate("sidecar", prefetch) / rate("bare, reply", prefetch)).toFixed(2),
        (rate("sidecar", prefetch) / rate("bare, ack", prefetch)).toFixed(2),
      ]),
    }),
  );
}

/** The queue is full before anyone consumes. @returns messages per second until the last effect */
async function measured(way: Way, prefetch: number, { url, messages }: StepBenchOptions): Promise<number> {
  const prefix = `bench${randomUUID()}.`;
  // Of the same party as its consumers: a queue names the dead letters of whoever declares it.
  const broker = await connectAmqp({ url, party: "UVA", log: createMemoryLog(), prefix });
  const replyTo = `reply.bench.${randomUUID()}`;
  try {
    await broker.declare([
      { name: queue, bindings: [queue], kind: "work" },
      { name: replyTo, bindings: [replyTo], kind: "private" },
    ]);
    for (let at = 0; at < messages; at += 500) {
      const batch = Array.from({ length: Math.min(500, messages - at) }, (_, i) => messageOf(at + i, replyTo));
      await Promise.all(batch.map((message) => broker.publish(message)));
    }
    const effects = countTo(messages);
    await broker.consume(replyTo, { prefetch: 1_000 }, async () => {
      effects.one();
      return { kind: "done" };
    });
    const startedAt = performance.now();
    const consumer =
      way === "sidecar"
        ? await consumeBySidecar(url, prefix, prefetch)
        : await consumeBare(
            { url, prefix, prefetch, replyTo: way === "bare, reply" ? replyTo : undefined },
            effects.one,
          );
    await effects.reached;
    const seconds = (performance.now() - startedAt) / 1_000;
    await consumer.stop();
    return messages / seconds;
  } finally {
    await broker.close();
    await removeAll({ url, prefix, queues: [queue, "uva.gather"], parties: ["UVA"] });
  }
}

function countTo(wanted: number) {
  let count = 0;
  let done = () => {};
  const reached = new Promise<void>((resolve) => {
    done = resolve;
  });
  return {
    reached,
    one: () => {
      count += 1;
      if (count === wanted) done();
    },
  };
}

function messageOf(index: number, replyTo: string): Message {
  const queryId = `bench-${index}`;
  const deadlineMs = Date.now() + 600_000;
  const envelope = madeEnvelope({ party: "UVA", queryId, steps: ["echo"], deadlineMs, replyTo });
  return {
    id: `${queryId}/UVA/0/1`,
    routingKey: queue,
    type: "envelope",
    queryId,
    body: Envelope.encode(envelope).finish(),
    traceparent: "",
  };
}

async function consumeBySidecar(url: string, prefix: string, prefetch: number) {
  const log = createMemoryLog();
  const broker = await connectAmqp({ url, party: "UVA", log, prefix });
  const invoker = createMemoryInvoker([{ name: "uva-echo", topic: queue, concurrency: prefetch, step }], {
    clock: systemClock,
    environment: {},
  });
  const knowledge = createMemoryKnowledge({ clock: systemClock });
  for (const { key, value } of madeDocuments("UVA", { echo: [] })) await knowledge.put(key, JSON.stringify(value));
  const sidecar = await startSidecar({
    party: "UVA",
    exchangeParty: "exchange",
    instance: randomUUID(),
    broker,
    knowledge,
    approvalKeys: testApprovalKeys,
    invoker,
    clock: systemClock,
    log,
  });
  const stop = async () => {
    await sidecar.stop();
    await broker.close();
  };
  return { stop };
}

interface BareOptions {
  readonly url: string;
  readonly prefix: string;
  readonly prefetch: number;
  /** Absent: nothing is published. */
  readonly replyTo: string | undefined;
}

async function consumeBare({ url, prefix, prefetch, replyTo }: BareOptions, acknowledged: () => void) {
  const names = namesWith(prefix, "UVA");
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await channel.prefetch(prefetch);
  await channel.consume(names.queue(queue), (message) => {
    if (message === null) return;
    if (replyTo === undefined) {
      channel.ack(message);
      acknowledged();
      return;
    }
    const properties = { messageId: "m", correlationId: "q", type: "reply", persistent: true };
    channel.publish(names.exchange, replyTo, Buffer.alloc(300), properties, (error) => {
      // The last reply may be counted before its confirm is here: then the channel is closed already.
      if (!error) channel.ack(message);
    });
  });
  return { stop: () => connection.close() };
}
