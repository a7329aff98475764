import { expect, it } from "vitest";
import { LogRing } from "./log-ring.ts";

const texts = (ring: LogRing) => ring.last(2_000).map(({ text }) => text);

it("puts lines together from chunks, whatever their line ends", () => {
  const ring = new LogRing();
  const read = ring.reader();
  for (const chunk of ["a", "b\nc\r", "\n\nd"]) read(chunk);
  expect(texts(ring)).toEqual(["ab", "c", ""]);
});

it("keeps the last thousand lines", () => {
  const ring = new LogRing();
  for (let index = 0; index < 1_500; index += 1) ring.add(String(index));
  expect(texts(ring)).toHaveLength(1_000);
  expect(texts(ring)[0]).toBe("500");
});

it("cuts a line that is too long, also one that never ends", () => {
  const ring = new LogRing();
  const read = ring.reader();
  for (let index = 0; index < 100; index += 1) read("x".repeat(10_000));
  read("\nnext\n");
  expect(texts(ring).map((text) => text.length)).toEqual([4_096, 4]);
});

it("keeps the lines of two streams apart", () => {
  const ring = new LogRing();
  const [out, err] = [ring.reader(), ring.reader()];
  out("one ");
  err("two\n");
  out("three\n");
  expect(texts(ring)).toEqual(["two", "one three"]);
});
