import { beforeEach, expect, it } from "vitest";
import { limits } from "#domain/limits";
import type { ChainEnd } from "./collect.ts";
import { createResultCache, type RememberedAnswer } from "./result-cache.ts";

let nowMs: number;
beforeEach(() => {
  nowMs = 1_000;
});

function answer(queryId: string, bytes = 100): RememberedAnswer {
  const table = { arrowIpc: Buffer.alloc(bytes, 7), rows: 1, transfer: undefined };
  const result = { table, chart: undefined, document: undefined };
  const end: ChainEnd = { chain: "UVA", party: "UVA", content: { result } };
  return { queryId, answeredAtMs: nowMs, plan: "p", data: [], ends: new Map([["UVA", end]]) };
}
const open = (bytesMax: number, keptMs = 60_000) => createResultCache({ bytesMax, keptMs, now: () => nowMs });

it("gives what was remembered, until its time is over", () => {
  const cache = open(100_000, 500);
  cache.remember("q", answer("one"));
  nowMs += 499;
  expect(cache.find("q")?.queryId).toBe("one");
  expect(cache.find("r")).toBeUndefined();
  nowMs += 1;
  expect(cache.find("q")).toBeUndefined();
  expect(cache.bytes).toBe(0);
});

it("holds no more bytes than it may: what was used longest ago goes first", () => {
  const cache = open(40_000);
  for (const name of ["a", "b", "c"]) cache.remember(name, answer(name, 10_000));
  expect(cache.find("a")).toBeDefined();
  cache.remember("d", answer("d", 10_000));
  expect(["a", "b", "c", "d"].filter((name) => cache.find(name) !== undefined)).toEqual(["a", "c", "d"]);
  expect(cache.bytes).toBeLessThanOrEqual(40_000);
});

it("remembers none that is too large, and forgets the one before it", () => {
  const cache = open(100 * 1_048_576);
  cache.remember("q", answer("small"));
  cache.remember("q", answer("large", limits.rememberedAnswerBytesMax));
  expect(cache.find("q")).toBeUndefined();
  expect(cache.bytes).toBe(0);
});

it("counts an answer once that takes the place of another", () => {
  const cache = open(100_000);
  cache.remember("q", answer("one", 1_000));
  const { bytes } = cache;
  cache.remember("q", answer("two", 1_000));
  expect(cache.bytes).toBe(bytes);
  cache.forget("q");
  cache.forget("q");
  expect(cache.bytes).toBe(0);
});

it("keeps no memory of the message that an answer came in", () => {
  const cache = open(100_000);
  const message = Buffer.alloc(5_000_000);
  const one = answer("one");
  const table = { arrowIpc: message.subarray(10, 20), rows: 1, transfer: undefined };
  const content = { result: { table, chart: undefined, document: undefined } };
  cache.remember("q", { ...one, ends: new Map([["UVA", { chain: "UVA", party: "UVA", content }]]) });
  const kept = cache.find("q")?.ends.get("UVA")?.content;
  expect(kept !== undefined && "result" in kept && kept.result.table?.arrowIpc.buffer.byteLength).toBe(10);
});
