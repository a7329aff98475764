import { beforeEach, describe, expect, it } from "vitest";
import type { Result } from "#contracts";
import { limits } from "#domain/limits";
import type { Answer } from "./answer.ts";
import { createQueryStore, type QueryRecord, type QueryStore } from "./query-store.ts";

let now: number;
let dropped: string[];
let renewed: string[];
let store: QueryStore;

beforeEach(() => {
  now = 1_000_000;
  dropped = [];
  renewed = [];
  store = createQueryStore({
    now: () => now,
    dropTransfer: async (name) => void dropped.push(name),
    renewTransfer: async (name) => {
      renewed.push(name);
      if (name === "t-lost") throw new Error("there is none");
    },
    renewMs: 5,
  });
  return () => store.clear();
});

function answer(id: string, result: Partial<Result>): Answer {
  return {
    id,
    status: 200,
    problem: undefined,
    complete: true,
    results: [
      {
        party: "UVA",
        providers: ["UVA"],
        archetype: "computeToData",
        result: { table: undefined, chart: undefined, document: undefined, ...result },
      },
    ],
    answering: ["UVA"],
    failed: [],
    record: {},
  };
}

const ofTransfer = (name: string, bytes = 1): Partial<Result> => ({
  table: { arrowIpc: Buffer.alloc(10), rows: 1, transfer: { name, chunks: 1, bytes, sha256: Buffer.alloc(32) } },
});
const ofBytes = (bytes: number): Partial<Result> => ({
  table: { arrowIpc: Buffer.alloc(bytes), rows: 1, transfer: undefined },
});

function ended(id: string, result: Partial<Result>, keepsRows = true): QueryRecord {
  const record = store.open({ id, subject: "ada", startedAtMs: now, deadlineMs: now, cancel: () => {}, keepsRows });
  store.close(record, answer(id, result));
  return record;
}

describe("what an orchestrator keeps", () => {
  it("is forgotten after its time, counted from its end, and its transfer dropped", () => {
    ended("a", ofTransfer("t-a"));
    now += limits.keptQueryMs - 1;
    expect(store.find("a", "ada").id).toBe("a");
    now += 1;
    expect(() => store.find("a", "ada")).toThrow("no query of this id");
    expect(dropped).toEqual(["t-a"]);
  });

  it("is not dropped while it is read, but right after", () => {
    const letGo = store.hold(ended("a", ofTransfer("t-a")));
    now += limits.keptQueryMs;
    expect(() => store.find("a", "ada")).toThrow();
    expect(dropped).toEqual([]);
    letGo();
    expect(dropped).toEqual(["t-a"]);
  });

  it("is bounded in the bytes of memory, oldest first", () => {
    const half = limits.keptQueryBytesMax / 2;
    for (const id of ["a", "b", "c"]) ended(id, ofBytes(id === "c" ? 10 : half - 20));
    expect(store.find("a", "ada").id).toBe("a");
    ended("d", ofBytes(100));
    expect(() => store.find("a", "ada")).toThrow();
    expect(store.find("b", "ada").id).toBe("b");
  });

  it("is bounded in the bytes at the broker, oldest first", () => {
    const half = limits.keptTransferBytesMax / 2;
    for (const id of ["a", "b"]) ended(id, ofTransfer(`t-${id}`, half));
    expect(dropped).toEqual([]);
    ended("c", ofTransfer("t-c", 1));
    expect(dropped).toEqual(["t-a"]);
  });

  it("leaves the transfers of an answer that is sent once to whoever sends it", () => {
    const record = ended("a", ofTransfer("t-a"), false);
    now += limits.keptQueryMs;
    expect(() => store.find("a", "ada")).toThrow();
    expect(dropped).toEqual([]);
    store.dropRows(record);
    store.dropRows(record);
    expect(dropped).toEqual(["t-a"]);
  });

  it("has its transfers renewed until it is forgotten, one that is lost beside the others", async () => {
    ended("lost", ofTransfer("t-lost"));
    ended("a", ofTransfer("t-a"));
    ended("sent-once", ofTransfer("t-sent-once"), false);
    await expect.poll(() => renewed.filter((name) => name === "t-a").length).toBeGreaterThan(2);
    expect(new Set(renewed)).toEqual(new Set(["t-lost", "t-a"]));
    now += limits.keptQueryMs;
    expect(() => store.find("a", "ada")).toThrow();
    renewed = [];
    await new Promise((resume) => setTimeout(resume, 30));
    expect(renewed).toEqual([]);
  });

  it("is all dropped at the end", async () => {
    ended("a", ofTransfer("t-a"));
    await store.clear();
    expect(dropped).toEqual(["t-a"]);
  });
});
