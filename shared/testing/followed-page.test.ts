import { expect, it } from "vitest";
import { fits, stepsIn } from "./followed-page.ts";

it("reads a page's lines as they are meant", () => {
  expect(
    stepsIn("## A\n```\n$ b \\\n  c\nd\n…\n$ e\n```\n```\n# needs a cluster\n$ x\n```\n## B\n```\n$ f\n```\n", "A"),
  ).toEqual([
    { command: "b \\\n  c", output: "d\n…" },
    { command: "e", output: "" },
  ]);
  expect(fits("a …\n…\nz", "a b\nc\nd\nz\n")).toBe(true);
  expect(fits("a …\nz", "a b\nc\nz\n")).toBe(false);
  expect(fits("", "anything\n")).toBe(false);
  expect(fits("M 9.9408", "M          9.9409\n")).toBe(false);
});
