import { describe, expect, it } from "vitest";
import type { Change, Watch } from "#ports/knowledge";
import { knowledgeContract } from "#testing/knowledge-contract";
import { createMemoryClock } from "./clock.ts";
import { createMemoryKnowledge } from "./knowledge.ts";

const changesKept = 10_000;

async function first(watch: Watch): Promise<Change | undefined> {
  for await (const change of watch) return change;
  return undefined;
}

describe("the embedded knowledge base", () => {
  knowledgeContract(async () => {
    const clock = createMemoryClock();
    const knowledge = createMemoryKnowledge({ clock });
    return {
      connect: async () => knowledge,
      close: async () => {
        await knowledge.close();
        expect(clock.pending).toBe(0);
      },
    };
  });

  it("keeps a lease for as long as its holder lives", async () => {
    const clock = createMemoryClock();
    const knowledge = createMemoryKnowledge({ clock });
    const lease = await knowledge.grant(5_000);
    await knowledge.put("/online/UVA", "1", { lease });
    clock.turn(60_000);
    expect(await knowledge.get("/online/UVA")).toBeDefined();
    await lease.end();
    expect(clock.pending).toBe(0);
  });

  it("says of changes that it has forgotten that they must be listed again", async () => {
    const knowledge = createMemoryKnowledge({ clock: createMemoryClock() });
    for (let i = 0; i <= changesKept; i++) await knowledge.put("/a", String(i));
    await expect(first(knowledge.watch("/", 1))).rejects.toMatchObject({
      label: "KNOWLEDGE_UNAVAILABLE",
      message: "changes before revision 2 are forgotten: list again",
    });
    expect(await first(knowledge.watch("/", 2))).toMatchObject({ entry: { revision: 2, value: "1" } });
    expect(await first(knowledge.watch("/", changesKept + 1))).toMatchObject({ entry: { value: String(changesKept) } });
  });

  it("forgets old changes by their size too, not only by their number", async () => {
    const knowledge = createMemoryKnowledge({ clock: createMemoryClock() });
    const large = "x".repeat(16 * 1_048_576);
    for (let i = 0; i < 5; i++) await knowledge.put("/a", large, { also: [{ key: "/b", value: large }] });
    await expect(first(knowledge.watch("/", 1))).rejects.toMatchObject({
      message: "changes before revision 2 are forgotten: list again",
    });
    expect(await first(knowledge.watch("/", 2))).toMatchObject({ entry: { key: "/a", revision: 2 } });
    expect(await knowledge.get("/b")).toMatchObject({ revision: 5 });
  });

  it("does not hold changes without end for a reader that does not read", async () => {
    const knowledge = createMemoryKnowledge({ clock: createMemoryClock() });
    const watch = knowledge.watch("/");
    for (let i = 0; i <= changesKept; i++) await knowledge.put("/a", String(i));
    await expect(first(watch)).rejects.toMatchObject({ label: "KNOWLEDGE_UNAVAILABLE" });
  });
});
