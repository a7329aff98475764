import fc from "fast-check";
import { expect, it } from "vitest";
import { nestedForm } from "./nested-form.ts";

it.each<[string, unknown]>([
  ["", {}],
  ["a", { a: "" }],
  ["a=1&b=2", { a: "1", b: "2" }],
  ["a=1&a=2&a=3", { a: ["1", "2", "3"] }],
  ["a[]=1", { a: ["1"] }],
  ["a[b]=1&a[c][d]=2", { a: { b: "1", c: { d: "2" } } }],
  ["a[b=1", { "a[b": "1" }],
  ["a[b][c][d][e][f][g]=1", { a: { b: { c: { d: { e: { f: { "[g]": "1" } } } } } } }],
  ["a+b=c%26d", { "a b": "c&d" }],
  ["=1", {}],
])("%s", (text, form) => {
  expect(nestedForm(text)).toEqual(form);
});

it("takes any text, and never reaches an object's own machinery", () => {
  const part = fc.constantFrom("a", "b", "__proto__", "constructor", "[", "]", "[]", "=", "&", "prototype");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      nestedForm(parts.join(""));
      return (
        !("polluted" in {}) &&
        Object.getPrototypeOf({}) === Object.prototype &&
        Object.keys(Object.prototype).length === 0
      );
    }),
  );
});

it("reads a thousand fields and no more", () => {
  const many = Array.from({ length: 2_000 }, (_, i) => `f${i}=1`).join("&");
  expect(Object.keys(nestedForm(many))).toHaveLength(1_000);
});
