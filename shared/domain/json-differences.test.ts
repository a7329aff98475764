import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Difference, differencesOf } from "./json-differences.ts";

const names = (path: string) =>
  path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));

// biome-ignore lint/suspicious/noExplicitAny: any JSON.
type Json = any;

/** RFC 6902 section 4, the three operations that are made. */
function applied(document: Json, { op, path, value }: Difference): Json {
  const steps = names(path);
  const last = steps.pop();
  if (last === undefined) return value;
  let at = document;
  for (const step of steps) at = at[step];
  if (Array.isArray(at)) at.splice(Number(last), op === "add" ? 0 : 1, ...(op === "remove" ? [] : [value]));
  else if (op === "remove") delete at[last];
  else Object.defineProperty(at, last, { value, enumerable: true, configurable: true, writable: true });
  return document;
}

describe("the differences between two documents", () => {
  it("name each place that changed, sorted by name", () => {
    const before = { name: "VU", archetypes: ["a", "b"], relations: { "a/b": { n: 1 }, "x~y": {}, old: {} } };
    const after = { relations: { "a/b": { n: 2 }, "x~y": {}, fresh: {} }, name: "VU", archetypes: ["z", "a", "b"] };
    expect(differencesOf(before, after)).toEqual([
      { op: "add", path: "/archetypes/0", value: "z" },
      { op: "replace", path: "/relations/a~1b/n", value: 2 },
      { op: "add", path: "/relations/fresh", value: {} },
      { op: "remove", path: "/relations/old" },
    ]);
    expect(differencesOf({ "x~y": 1 }, {})).toEqual([{ op: "remove", path: "/x~0y" }]);
  });

  it.each([
    [
      ["a", "b", "c", "d"],
      ["a", "d"],
      ["remove /2", "remove /1"],
    ],
    [
      ["a", "d"],
      ["a", "b", "c", "d"],
      ["add /1", "add /2"],
    ],
    [["a", "b", "c"], ["a", "x", "c"], ["replace /1"]],
    [["a", "a"], ["a"], ["remove /1"]],
    [[], ["a"], ["add /0"]],
  ])("of a list are as few as they are: %j to %j", (before, after, expected) => {
    expect(differencesOf(before, after).map(({ op, path }) => `${op} ${path}`)).toEqual(expected);
  });

  it("are none between equals, whatever the order of their names", () => {
    expect(differencesOf({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 })).toEqual([]);
  });

  it("replace what is of another kind", () => {
    expect(differencesOf({ a: null }, { a: [] })).toEqual([{ op: "replace", path: "/a", value: [] }]);
    expect(differencesOf([], {})).toEqual([{ op: "replace", path: "", value: {} }]);
  });

  it("make the one document of the other", () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    const list = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 });
    const pair = fc.oneof(fc.tuple(json, json), fc.tuple(list, list));
    fc.assert(
      fc.property(pair, ([before, after]) => {
        const wanted = JSON.parse(JSON.stringify(after));
        const start = JSON.parse(JSON.stringify(before));
        expect(differencesOf(start, wanted).reduce(applied, structuredClone(start))).toEqual(wanted);
      }),
      { numRuns: 2_000 },
    );
  });

  it("of two lists of 2,000 names do not take their product", () => {
    const columns = Array.from({ length: 2_000 }, (_, index) => `column ${index}`);
    expect(differencesOf(columns, ["new", ...columns])).toEqual([{ op: "add", path: "/0", value: "new" }]);
  });
});
