import { expect, test } from "vitest";
import { median, percentile, spread } from "./statistics.ts";

const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);

test("takes the value of the nearest rank, whatever the order", () => {
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile(hundred, 0.95)).toBe(95);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile(hundred, 1)).toBe(100);
  expect(percentile([3, 1, 2], 0)).toBe(1);
});

test("sorts numbers as numbers and leaves the list as it was", () => {
  const values = [10, 9, 100];
  expect(median(values)).toBe(10);
  expect(values).toEqual([10, 9, 100]);
});

test("says of no values that there is no figure", () => {
  expect(percentile([], 0.5)).toBeNaN();
});

test("gives the larger side of what lies around the middle", () => {
  expect(spread([10, 10, 10])).toBe(0);
  expect(spread([9, 10, 15])).toBe(0.5);
});
