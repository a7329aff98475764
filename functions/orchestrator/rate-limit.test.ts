import fc from "fast-check";
import { expect, it } from "vitest";
import { createRateLimit } from "./rate-limit.ts";

it("gives a burst of as many as a minute has, then says when there is one again", () => {
  let now = 0;
  const rate = createRateLimit({ perMinute: 6, now: () => now });
  for (let i = 0; i < 6; i++) expect(rate.take("ada")).toBeUndefined();
  expect(rate.take("ada")).toBe(10);
  now += 4_000;
  expect(rate.take("ada")).toBe(6);
  now += 6_000;
  expect(rate.take("ada")).toBeUndefined();
  expect(rate.take("ada")).toBe(10);
});

it("takes from one subject nothing of another's", () => {
  const rate = createRateLimit({ perMinute: 1, now: () => 0 });
  expect(rate.take("ada")).toBeUndefined();
  expect(rate.take("ada")).toBe(60);
  expect(rate.take("__proto__")).toBeUndefined();
  expect(rate.take("__proto__")).toBe(60);
});

it("forgets the one not seen for longest when there are too many, never one that asks", () => {
  const rate = createRateLimit({ perMinute: 1, now: () => 0, subjectsMax: 2 });
  rate.take("ada");
  rate.take("bob");
  expect(rate.take("ada")).toBe(60);
  rate.take("eve");
  expect(rate.take("ada")).toBe(60);
  expect(rate.take("bob")).toBeUndefined();
});

it("gives within any time at most its burst and what the time brings, and keeps its word on when", () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), pauses, (perMinute, waits) => {
      let now = 0;
      const rate = createRateLimit({ perMinute, now: () => now });
      let given = 0;
      for (const wait of waits) {
        now += wait;
        const waitS = rate.take("ada");
        if (waitS === undefined) given += 1;
        else {
          expect(waitS).toBeGreaterThanOrEqual(1);
          now += waitS * 1_000;
          expect(rate.take("ada")).toBeUndefined();
          given += 1;
        }
      }
      expect(given).toBeLessThanOrEqual(perMinute + (now * perMinute) / 60_000 + 1e-6);
    }),
  );
});
