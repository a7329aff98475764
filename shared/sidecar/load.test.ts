import { describe, expect, it } from "vitest";
import { createMemoryClock } from "#adapters/memory/clock";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog } from "#adapters/memory/log";
import { onlineKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { capacityOf, createLoadMeter, isNewLoad, sayLoad } from "./load.ts";
import { announce } from "./presence.ts";

/** Lets what was resolved go on. */
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

function held(capacity: number) {
  const clock = createMemoryClock();
  const meter = createLoadMeter(clock, () => capacity);
  const ends: (() => void)[] = [];
  return {
    clock,
    meter,
    take: (count: number) => {
      for (let i = 0; i < count; i++) void meter.hold(() => new Promise<void>((resolve) => ends.push(resolve)));
    },
    giveBack: async (count: number) => {
      for (const end of ends.splice(0, count)) end();
      await settle();
    },
  };
}

describe("a load meter", () => {
  it("comes to what is in hand of the capacity, and back, in some seconds", async () => {
    const { clock, meter, take, giveBack } = held(8);
    take(6);
    expect(meter.read()).toBe(0);
    clock.turn(limits.loadAverageMs);
    expect(meter.read()).toBeCloseTo(0.75 * (1 - 1 / Math.E), 6);
    clock.turn(60_000);
    expect(meter.read()).toBeCloseTo(0.75, 6);
    await giveBack(6);
    clock.turn(limits.loadAverageMs);
    expect(meter.read()).toBeCloseTo(0.75 / Math.E, 6);
  });

  it("does not depend on how often it is read", () => {
    const often = held(4);
    const once = held(4);
    for (const each of [often, once]) each.take(3);
    for (let i = 0; i < 100; i++) {
      often.clock.turn(30);
      often.meter.read();
    }
    once.clock.turn(3_000);
    expect(often.meter.read()).toBeCloseTo(once.meter.read(), 9);
  });

  it("counts what failed as over, and never more than all", async () => {
    const { clock, meter, take, giveBack } = held(1);
    await meter.hold(() => Promise.reject(new Error("no"))).catch(() => {});
    clock.turn(60_000);
    expect(meter.read()).toBe(0);
    take(3);
    clock.turn(60_000);
    expect(meter.read()).toBeCloseTo(1, 6);
    await giveBack(3);
  });

  it("is idle where there are no functions, or its clock is turned back", () => {
    const { clock, meter, take } = held(0);
    take(1);
    clock.turn(60_000);
    expect(meter.read()).toBe(0);
    let nowMs = 1_000;
    const back = createLoadMeter({ now: () => nowMs, after: () => () => {} }, () => 1);
    nowMs = 0;
    expect(back.read()).toBe(0);
  });

  it("has the capacity of all functions", () => {
    const step = (concurrency: number) => ({ name: "", topic: "", concurrency });
    expect(capacityOf([step(4), step(2)])).toBe(6);
  });
});

describe("a load", () => {
  it.each([
    [0.5, 0.6, false],
    [0.5, 0.61, true],
    [0.5, 0.39, true],
    [0.79, 0.8, true],
    [0.8, 0.79, true],
    [0.8, 0.9, false],
  ])("that was said as %s and is %s is said again: %s", (said, load, again) => {
    expect(isNewLoad(said, load)).toBe(again);
  });

  it("is said under the lease of who says it, no more than once a second, and goes with it", async () => {
    const clock = createMemoryClock();
    const knowledge = createMemoryKnowledge({ clock });
    const presence = await announce(knowledge, "UVA", "i1", clock);
    const key = onlineKey("UVA", "i1");
    const written = async () => JSON.parse((await knowledge.get(key))?.value ?? "{}");
    expect(await written()).toEqual({ party: "UVA", instance: "i1", sinceMs: 0, load: 0 });

    let load = 0;
    const revisionOf = async () => (await knowledge.get(key))?.revision;
    const stop = sayLoad({ meter: { read: () => load }, say: presence.loaded, clock, log: createMemoryLog() });
    const first = await revisionOf();
    const revisions = new Set<number | undefined>();
    for (let ms = 0; ms < 5_000; ms += 50) {
      load = load === 0 ? 1 : 0;
      clock.turn(50);
      await settle();
      revisions.add(await revisionOf());
    }
    revisions.delete(first);
    expect(revisions.size).toBeLessThanOrEqual(5);
    load = 0.837;
    clock.turn(1_000);
    await settle();
    expect(await written()).toEqual({ party: "UVA", instance: "i1", sinceMs: 0, load: 0.83 });

    stop();
    load = 0;
    clock.turn(5_000);
    await settle();
    expect((await written()).load).toBe(0.83);
    await presence.leave();
    expect(await knowledge.get(key)).toBeUndefined();
    await knowledge.close();
  });

  it("that could not be said is said later", async () => {
    const clock = createMemoryClock();
    const log = createMemoryLog();
    const said: number[] = [];
    let fails = true;
    const say = async (load: number) => {
      if (fails) throw new Error("gone");
      said.push(load);
    };
    const stop = sayLoad({ meter: { read: () => 0.9 }, say, clock, log });
    clock.turn(1_000);
    await settle();
    fails = false;
    clock.turn(1_000);
    await settle();
    clock.turn(1_000);
    await settle();
    expect(said).toEqual([0.9]);
    stop();
    expect(clock.pending).toBe(0);
  });
});
