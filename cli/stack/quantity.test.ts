import { expect, it } from "vitest";
import { quantityOf } from "./quantity.ts";

it.each([
  ["512Mi", 536_870_912],
  ["1Gi", 1_073_741_824],
  ["1.5Gi", 1_610_612_736],
  ["2G", 2_000_000_000],
  ["1024", 1_024],
  ["250m", 0.25],
  ["2", 2],
])("%s is %d", (text, number) => {
  expect(quantityOf(text)).toBe(number);
});

it.each(["", "Mi", "1MB", "-1", "1 Gi"])("%j is no quantity", (text) => {
  expect(quantityOf(text)).toBeNaN();
});
