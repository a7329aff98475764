import { describe, expect, it } from "vitest";
import { createMemoryClock } from "./clock.ts";

describe("the clock that tests turn", () => {
  it("calls back in order of time, at the time asked for, also what a callback asks for", () => {
    const clock = createMemoryClock(1_000);
    const seen: string[] = [];
    const note = (what: string) => seen.push(`${what}@${clock.now()}`);
    clock.after(20, () => note("second"));
    clock.after(10, () => {
      note("first");
      clock.after(5, () => note("nested"));
    });
    clock.after(99, () => note("never"));
    clock.turn(50);
    expect(seen).toEqual(["first@1010", "nested@1015", "second@1020"]);
    expect([clock.now(), clock.pending]).toEqual([1_050, 1]);
  });

  it("does not call back what was prevented", () => {
    const clock = createMemoryClock();
    const seen: number[] = [];
    clock.after(10, () => seen.push(10))();
    clock.turn(20);
    expect([seen, clock.pending]).toEqual([[], 0]);
  });
});
