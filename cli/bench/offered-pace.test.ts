import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { arrivalsMs, closedLoop, openLoop } from "./offered-pace.ts";

const stallMs = 300;

/** Handles one call at a time; the first holds up all that come after it. */
function stallingServer() {
  let before: Promise<unknown> = wait(stallMs);
  return () => {
    before = before.then(() => {});
    return before.then(() => {});
  };
}

test("counts the stall for each call that was due while the server stood still", async () => {
  const arrivals = [0, 50, 100, 150, 200];
  const latencies = await openLoop(arrivals, stallingServer());
  // A timer may fire up to a millisecond before its time.
  for (const [at, dueMs] of arrivals.entries()) expect(latencies[at]).toBeGreaterThanOrEqual(stallMs - dueMs - 2);
});

test("asks one after the other only where callers wait, and so sees a stall once", async () => {
  const { latenciesMs, answered } = await closedLoop({ callers: 1, seconds: 0.4 }, stallingServer());
  expect(answered).toBe(latenciesMs.length);
  expect(latenciesMs[0]).toBeGreaterThanOrEqual(stallMs - 2);
  expect(latenciesMs.filter((ms) => ms >= stallMs / 2)).toHaveLength(1);
});

test("does not wait for an answer before the next call is due", async () => {
  let inHand = 0;
  let most = 0;
  await openLoop([0, 0, 0, 0], async () => {
    most = Math.max(most, ++inHand);
    await wait(20);
    inHand -= 1;
  });
  expect(most).toBe(4);
});

test("lets each way meet the same arrivals, at the rate that was asked for", () => {
  const load = { perSecond: 100, seconds: 50 };
  const arrivals = arrivalsMs(load, 7);
  expect(arrivalsMs(load, 7)).toEqual(arrivals);
  expect(arrivalsMs(load, 8)).not.toEqual(arrivals);
  expect(arrivals).toHaveLength(5_000);
  expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
  // Of 5,000 arrivals the last is due at 50 s, give or take 1.4 % (one standard deviation).
  expect(Math.abs((arrivals.at(-1) ?? 0) - 50_000)).toBeLessThan(5_000);
});
