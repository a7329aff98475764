import { expect, test } from "vitest";
import { measureWays, type Way } from "./measure-ways.ts";

const options = {
  rounds: 2,
  warmUps: 1,
  open: { perSecond: 200, seconds: 0.05 },
  closed: { callers: 2, seconds: 0.02 },
  restMs: 0,
};

function wayOf(name: string, once: () => Promise<boolean>): Way {
  let cpu = 0;
  return { name, once, cpuMs: () => ++cpu };
}

test("counts each answer that was wrong, and each call that failed", async () => {
  const right = wayOf("right", async () => true);
  const wrong = wayOf("wrong", async () => false);
  const failing = wayOf("failing", () => Promise.reject(new Error("nobody answers")));
  const said: string[] = [];
  const measured = await measureWays([right, wrong, failing], options, (line) => said.push(line));
  expect(said.filter((line) => line.startsWith("WRONG"))).toEqual([
    "WRONG: wrong: not the answer that it should be",
    "WRONG: failing: nobody answers",
  ]);
  expect(measured.get(right)?.wrong).toBe(0);
  for (const way of [wrong, failing]) {
    const of = measured.get(way);
    expect(of?.wrong).toBe((of?.pacedMs.length ?? 0) + (of?.saturatedMs.length ?? 0) + options.warmUps);
  }
});

test("gives each way the same paced calls and its turn in each round", async () => {
  const ways = ["one", "two", "three"].map((name) => wayOf(name, async () => true));
  const measured = [...(await measureWays(ways, options, () => {})).values()];
  expect(measured.map(({ pacedMs }) => pacedMs.length)).toEqual([20, 20, 20]);
  expect(measured.map(({ perSecond }) => perSecond.length)).toEqual([2, 2, 2]);
});

test("measures a way that has a pace or fewer rounds of its own by those", async () => {
  const own = { ...wayOf("own", async () => true), open: { perSecond: 200, seconds: 0.02 }, rounds: 1 };
  const measured = await measureWays([own, wayOf("other", async () => true)], options, () => {});
  expect([...measured.values()].map(({ pacedMs }) => pacedMs.length)).toEqual([4, 20]);
});

test("warms each way up with as many calls as were asked for, and no way with another's", async () => {
  const counts = { usual: 0, more: 0 };
  const counting = (name: keyof typeof counts) =>
    wayOf(name, async () => {
      counts[name]++;
      return true;
    });
  await measureWays([counting("usual"), { ...counting("more"), warmUps: 7 }], { ...options, rounds: 0 }, () => {});
  expect(counts).toEqual({ usual: 1, more: 7 });
});

test("begins each round with another way", async () => {
  const order: string[] = [];
  const ways = ["one", "two"].map((name) =>
    wayOf(name, async () => {
      if (order.at(-1) !== name) order.push(name);
      return true;
    }),
  );
  await measureWays(ways, { ...options, warmUps: 0 }, () => {});
  // Each round is a paced and a saturated turn of both.
  expect(order).toEqual(["one", "two", "one", "two", "one", "two", "one"]);
});
