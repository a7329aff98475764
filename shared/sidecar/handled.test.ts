import { describe, expect, it } from "vitest";
import { createMemoryClock } from "#adapters/memory/clock";
import { limits } from "#domain/limits";
import type { Delivery, Disposition } from "#ports/broker";
import { createHandled } from "./handled.ts";

const done: Disposition = { kind: "done" };
const retry: Disposition = { kind: "retry", afterMs: 1, reason: "BROKER_UNAVAILABLE: gone" };
const delivery = (id: string): Delivery => ({
  id,
  routingKey: "uva.sql-query",
  type: "envelope",
  queryId: "q1",
  body: new Uint8Array(),
  traceparent: "",
  queue: "uva.sql-query",
  tries: 0,
  redelivered: false,
});

function world() {
  const clock = createMemoryClock(0);
  const handled = createHandled(clock);
  const log: string[] = [];
  const waiting: ((disposition: Disposition) => void)[] = [];
  const take = (id: string) =>
    handled.once(
      delivery(id),
      () => {
        log.push(`first ${id}`);
        return new Promise((resolve) => void waiting.push(resolve));
      },
      async () => {
        log.push(`again ${id}`);
        return done;
      },
    );
  const settle = (disposition: Disposition) => waiting.shift()?.(disposition);
  return { clock, log, take, settle, waiting };
}

describe("messages that come more than once", () => {
  it("are carried out once, also when the second comes while the first is in hand", async () => {
    const { log, take, settle } = world();
    const both = [take("m"), take("m")];
    settle(done);
    expect(await Promise.all(both)).toEqual([done, done]);
    expect(await take("m")).toEqual(done);
    expect(log).toEqual(["first m", "again m", "again m"]);
  });

  it("are carried out one after the other, however many there are, until one is done", async () => {
    const { log, take, settle, waiting } = world();
    const three = [take("m"), take("m"), take("m")];
    settle(retry);
    expect(await three[0]).toEqual(retry);
    await expect.poll(() => waiting.length).toBe(1);
    expect(log).toEqual(["first m", "first m"]);
    settle(done);
    expect(await Promise.all(three)).toEqual([retry, done, done]);
    expect(log).toEqual(["first m", "first m", "again m"]);
  });

  it("do not hold up others", async () => {
    const { log, take, settle } = world();
    const held = take("m");
    const other = take("n");
    expect(log).toEqual(["first m", "first n"]);
    settle(done);
    settle(done);
    expect(await Promise.all([held, other])).toEqual([done, done]);
  });

  it("are remembered for as long as a query may last", async () => {
    const { clock, log, take, settle } = world();
    const first = take("m");
    settle(done);
    await first;
    clock.turn(limits.queryTimeoutMsMax - 1);
    await take("m");
    clock.turn(1);
    const later = take("m");
    settle(done);
    await later;
    expect(log).toEqual(["first m", "again m", "first m"]);
  });
});
