import { expect, it } from "vitest";
import { substitute } from "./substitute.ts";

it.each([
  ["image: ${REGISTRY:-}app:${TAG:-latest}", { TAG: "v1" }, "image: app:v1"],
  ["${A}${B}", { A: "1", B: "2" }, "12"],
  ["x${UNSET}y", {}, "xy"],
  ["${A:-otherwise}", { A: "" }, "otherwise"],
  ["${A:-images.example.org/a:-b}", {}, "images.example.org/a:-b"],
  ["$A costs $5", { A: "1" }, "$A costs $5"],
])("turns %j with %j into %j", (text, environment, result) => {
  expect(substitute(text, environment)).toBe(result);
});

it("does not substitute inside what it put in", () => {
  expect(substitute("${A}", { A: "${B}", B: "no" })).toBe("${B}");
});

it.each(["${A:=x}", "${}", "${1A}", "${A-x}", "${A", "${A:-x"])("refuses %j with its line", (text) => {
  expect(() => substitute(`version: 1.0\n${text}`, { A: "1" })).toThrow(/^line 2: .* is not understood/);
});
