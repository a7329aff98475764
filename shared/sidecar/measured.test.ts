import { expect, it } from "vitest";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createPrometheus } from "#adapters/prometheus/metrics";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Disposition } from "#ports/broker";
import type { Invoker } from "#ports/invoker";
import { message, work } from "#testing/broker-contract/kit";
import { measuredBroker, measuredInvoker } from "./measured.ts";
import { type PathMark, pathMarks } from "./path-marks.ts";

/** The samples of a scrape whose names begin so, without the buckets. */
async function samples(prometheus: ReturnType<typeof createPrometheus>, prefix: string): Promise<string[]> {
  const lines = (await prometheus.text()).split("\n");
  return lines.filter((line) => line.startsWith(prefix) && !/_bucket|_sum/.test(line)).sort();
}

it("counts messages taken and settled by step and code, and what was published", async () => {
  const prometheus = createPrometheus();
  const broker = measuredBroker(createMemoryExchange().connect({ party: "UVA" }), prometheus.forParty("UVA"));
  const ends: Record<string, Disposition> = {
    good: { kind: "done" },
    slow: { kind: "retry", afterMs: 1, reason: "OVERLOADED: too much" },
    bad: { kind: "dead-letter", reason: "WORKER_CRASHED: it died" },
  };
  await broker.declare([work("uva.sql-query")]);
  const seen: string[] = [];
  await broker.consume("uva.sql-query", { prefetch: 1 }, async ({ id, tries }) => {
    seen.push(id);
    if (id === "defect") throw new Error("a defect");
    return tries > 0 ? { kind: "done" } : (ends[id] ?? { kind: "done" });
  });
  for (const id of ["good", "slow", "bad", "defect"]) await broker.publish(message("uva.sql-query", id));
  await broker.publish(message("nobody")).catch(() => {});
  await expect.poll(() => seen).toHaveLength(5);
  await expect
    .poll(() => samples(prometheus, "dynamos_messages_"))
    .toEqual([
      'dynamos_messages_published_total{party="UVA",type="envelope",code=""} 4',
      'dynamos_messages_published_total{party="UVA",type="envelope",code="UNROUTABLE"} 1',
      'dynamos_messages_settled_total{party="UVA",step="sql-query",how="dead-letter",code="INTERNAL"} 1',
      'dynamos_messages_settled_total{party="UVA",step="sql-query",how="dead-letter",code="WORKER_CRASHED"} 1',
      'dynamos_messages_settled_total{party="UVA",step="sql-query",how="done",code=""} 2',
      'dynamos_messages_settled_total{party="UVA",step="sql-query",how="retry",code="OVERLOADED"} 1',
      'dynamos_messages_taken_total{party="UVA",step="sql-query"} 5',
    ]);
  expect(await samples(prometheus, "dynamos_hop_seconds")).toEqual([
    'dynamos_hop_seconds_count{party="UVA",step="sql-query"} 5',
  ]);
  await broker.close();
  expect(await samples(prometheus, "dynamos_broker_status")).toEqual([
    'dynamos_broker_status_changes_total{party="UVA",status="closed"} 1',
  ]);
});

it("marks the path of a message for who listens in this process, and no longer than that", async () => {
  const prometheus = createPrometheus();
  const broker = measuredBroker(createMemoryExchange().connect({ party: "UVA" }), prometheus.forParty("UVA"));
  await broker.declare([work("uva.sql-query")]);
  const handled: string[] = [];
  await broker.consume("uva.sql-query", { prefetch: 1 }, async ({ id }) => {
    handled.push(id);
    return { kind: "done" };
  });
  const seen: PathMark[] = [];
  const listener = (mark: unknown) => void seen.push(mark as PathMark);
  pathMarks.subscribe(listener);
  await broker.publish(message("uva.sql-query", "one"));
  await expect
    .poll(() => seen.map(({ what, name }) => `${what} ${name}`).sort())
    .toEqual(["handle uva.sql-query", "publish uva.sql-query"]);
  for (const { startedAt, endedAt } of seen) expect(endedAt).toBeGreaterThanOrEqual(startedAt);
  pathMarks.unsubscribe(listener);
  await broker.publish(message("uva.sql-query", "two"));
  await expect.poll(() => handled).toEqual(["one", "two"]);
  expect(seen).toHaveLength(2);
  await broker.close();
});

it("gives no label the id of a sidecar", async () => {
  const prometheus = createPrometheus();
  const broker = measuredBroker(createMemoryExchange().connect({ party: "UVA" }), prometheus.forParty("UVA"));
  await broker.declare([{ ...work("reply.uva.4711"), kind: "private" }]);
  await broker.consume("reply.uva.4711", { prefetch: 1 }, async () => ({ kind: "done" }));
  await broker.publish(message("reply.uva.4711", "r", { type: "reply" }));
  await expect
    .poll(() => samples(prometheus, "dynamos_messages_taken"))
    .toEqual(['dynamos_messages_taken_total{party="UVA",step="reply"} 1']);
  await broker.close();
});

it("times invocations by how they end, and lets outcome and failure through", async () => {
  const prometheus = createPrometheus();
  const outcome = new Uint8Array([1]);
  const plain: Invoker = {
    steps: async () => [],
    invoke: async (name) => {
      if (name === "vu-sql-query") throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "it is away");
      return outcome;
    },
    close: async () => {},
  };
  const invoker = measuredInvoker(plain, prometheus.forParty("VU"));
  const call = (name: string) =>
    invoker.invoke(
      name,
      { envelope: new Uint8Array(), take: async () => {} },
      { deadlineMs: 0, signal: new AbortController().signal },
    );
  expect(await call("vu-sql-graph")).toBe(outcome);
  await expect(call("vu-sql-query")).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE" });
  expect(await samples(prometheus, "dynamos_invocation_seconds")).toEqual([
    'dynamos_invocation_seconds_count{party="VU",function="vu-sql-graph",code=""} 1',
    'dynamos_invocation_seconds_count{party="VU",function="vu-sql-query",code="FUNCTION_UNAVAILABLE"} 1',
  ]);
});

it("shows what is so at the moment of asking, and nothing of what can't be read", async () => {
  const prometheus = createPrometheus();
  const readings = {
    openRequests: 2,
    openGathers: 1,
    brokerConnected: true,
    queues: [{ name: "uva.sql-query", ready: 5, consumers: 1 }],
  };
  const stop = prometheus.forParty("UVA").watch(async () => readings);
  prometheus.forParty("VU").watch(async () => {
    throw new Error("away");
  });
  const gauges = async () => [
    ...(await samples(prometheus, "dynamos_open_")),
    ...(await samples(prometheus, "dynamos_queue_")),
    ...(await samples(prometheus, "dynamos_broker_connected")),
  ];
  expect(await gauges()).toEqual([
    'dynamos_open_gathers{party="UVA"} 1',
    'dynamos_open_requests{party="UVA"} 2',
    'dynamos_queue_consumers{party="UVA",queue="uva.sql-query"} 1',
    'dynamos_queue_messages_ready{party="UVA",queue="uva.sql-query"} 5',
    'dynamos_broker_connected{party="UVA"} 1',
  ]);
  stop();
  expect(await gauges()).toEqual([]);
});
