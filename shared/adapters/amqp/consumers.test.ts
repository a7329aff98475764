/** With which weight an operator hears of a consumer that has ended. */
import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { ConsumerEnd } from "./consumer.ts";
import { type ConsumerSpec, Consumers } from "./consumers.ts";
import type { Session } from "./session.ts";

/** @param failures of the tries to consume again */
async function ended(end: ConsumerEnd, failures = 0) {
  const log = createMemoryLog();
  const over = new AbortController();
  const session = { over: over.signal } as Session;
  let runs = 0;
  let tell: (end: ConsumerEnd) => void = () => {};
  const spec: ConsumerSpec = {
    name: "uva.sql-query",
    prepare: async () => {
      runs += 1;
      if (runs <= failures) throw new Error("refused again");
    },
    run: async (_, onStopped) => {
      tell = onStopped;
      return { cancel: async () => {} };
    },
  };
  const consumers = new Consumers(log);
  await consumers.start(spec, session);
  tell(end);
  const untilMs = performance.now() + 10_000;
  while (runs <= failures && performance.now() < untilMs) await wait(20);
  over.abort();
  return log.lines.map(({ level, fields }) => [level, fields.reason]);
}

it("is a warning where its node went in an orderly way, whether its queue or its connection went first", async () => {
  expect(await ended({ reason: "its queue is gone", isOrderly: true })).toEqual([["warn", "its queue is gone"]]);
  expect(await ended({ reason: "closed", isOrderly: true })).toEqual([["warn", "closed"]]);
});

it("is an error where the broker complains, and where consuming again does not work either", async () => {
  const complaint = "delivery acknowledgement timed out";
  expect(await ended({ reason: complaint, isOrderly: false })).toEqual([["error", complaint]]);
  const lines = await ended({ reason: "closed", isOrderly: true }, 1);
  expect(lines).toEqual([
    ["warn", "closed"],
    ["error", "refused again"],
  ]);
});
