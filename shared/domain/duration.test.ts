import { expect, it } from "vitest";
import { durationMs } from "./duration.ts";

it.each([
  ["125s", 125_000],
  ["30", 30_000],
  ["1m30s", 90_000],
  ["500ms", 500],
  ["1.5h", 5_400_000],
  ["0", 0],
])("reads %s as %i ms", (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

it.each(["", "s", "-1s", "1 s", "1d", "1s2", "ten"])("refuses %j", (text) => {
  expect(() => durationMs(text)).toThrow(RangeError);
});
