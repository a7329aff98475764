import { describe, expect, it } from "vitest";
import { createMemoryClock } from "#adapters/memory/clock";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { Agreement, Envelope } from "#contracts";
import { createUsageCounter } from "./usage-counter.ts";

const user = "a@b.org";
const hourMs = 3_600_000;

function counter(max: number) {
  const clock = createMemoryClock(10 * hourMs + 5);
  const knowledge = createMemoryKnowledge({ clock });
  const agreements = [
    Agreement.fromPartial({ name: "UVA", relations: { [user]: { queriesPerPeriod: { max, periodMs: hourMs } } } }),
    Agreement.fromPartial({ name: "VU", relations: { [user]: {} } }),
  ];
  const cache = {
    about: () => ({ agreements, dataSets: [], parties: [], archetypes: [], requestTypes: [], steps: [], usage: [] }),
  };
  const usage = createUsageCounter({ knowledge, cache, clock });
  const count = (queryId: string) =>
    usage.count(Envelope.fromPartial({ queryId, query: { user: { name: user }, providers: ["UVA", "VU"] } }));
  return { clock, count };
}

describe("the counter of queries", () => {
  it("says how many came before, at the providers that count", async () => {
    const { count } = counter(10);
    expect(await count("q1")).toEqual([{ provider: "UVA", queries: 0 }]);
    expect(await count("q2")).toEqual([{ provider: "UVA", queries: 1 }]);
  });

  it("counts a query once, however often it comes", async () => {
    const { count } = counter(10);
    await count("q1");
    await count("q2");
    expect(await count("q1")).toEqual([{ provider: "UVA", queries: 0 }]);
    expect(await count("q3")).toEqual([{ provider: "UVA", queries: 2 }]);
  });

  it("gives no place beyond the maximum, and none of those who came in vain", async () => {
    const { count } = counter(1);
    await count("q1");
    expect(await count("q2")).toEqual([{ provider: "UVA", queries: 1 }]);
    expect(await count("q3")).toEqual([{ provider: "UVA", queries: 1 }]);
    expect(await count("q1")).toEqual([{ provider: "UVA", queries: 0 }]);
  });

  it("begins anew with the next period", async () => {
    const { clock, count } = counter(1);
    await count("q1");
    clock.turn(hourMs);
    expect(await count("q2")).toEqual([{ provider: "UVA", queries: 0 }]);
  });

  it("gives each of many at once a place of its own", async () => {
    const { count } = counter(20);
    const all = await Promise.all(Array.from({ length: 15 }, (_, index) => count(`q${index}`)));
    expect(all.map(([used]) => used?.queries).sort((a = 0, b = 0) => a - b)).toEqual(
      Array.from({ length: 15 }, (_, index) => index),
    );
  });
});
