import { expect, it } from "vitest";
import { periodInWords } from "./period-in-words.ts";

it.each([
  [1_000, "1 second"],
  [60_000, "1 minute"],
  [90_000, "1 minute 30 seconds"],
  [7_200_000, "2 hours"],
  [86_400_000, "1 day"],
  [30 * 86_400_000 + 1_000, "30 days 1 second"],
  [0, "no time"],
])("writes %i ms as %s", (periodMs, words) => {
  expect(periodInWords(periodMs)).toBe(words);
});
