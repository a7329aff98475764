import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { existenceKey } from "#domain/knowledge-keys";
import { DynamosError } from "#errors";
import type { Knowledge } from "#ports/knowledge";
import { type KnowledgeStore, knowledgeStores } from "#testing/knowledge-stores";
import { demoDocuments } from "../demo/documents.ts";
import { seed } from "./seed.ts";

const many = Array.from({ length: 250 }, (_, i) => ({
  key: `/agreements/P${String(i).padStart(3, "0")}`,
  value: { i },
}));

describe.each(knowledgeStores("what a fresh knowledge base starts with"))(
  "what a fresh $name starts with",
  (store: KnowledgeStore) => {
    let world: ReturnType<KnowledgeStore["fresh"]>;
    let knowledge: Knowledge;
    beforeAll(() => store.start());
    afterAll(() => store.stop());
    beforeEach(() => {
      world = store.fresh();
      knowledge = world.connect();
    });
    afterEach(() => world.close());

    it("is there once, and no document is put again by a restart", async () => {
      expect(await seed(knowledge, demoDocuments)).toBe(demoDocuments.length);
      const before = await knowledge.list("/");
      expect(before.entries).toHaveLength(demoDocuments.length);
      expect(await seed(world.connect(), demoDocuments)).toBe(0);
      expect((await knowledge.list("/")).entries).toEqual(before.entries);
    });

    it("does not come back after it was deleted", async () => {
      await seed(knowledge, demoDocuments);
      await knowledge.delete("/agreements/UVA");
      expect(await seed(knowledge, demoDocuments)).toBe(0);
      expect(await knowledge.get("/agreements/UVA")).toBeUndefined();
    });

    it("does not overwrite a live document, nor bring one back whose deletion is on record", async () => {
      await knowledge.put("/agreements/P001", '"live"');
      await knowledge.put(existenceKey("/agreements/P002"), '{"exists":false}');
      expect(await seed(knowledge, many)).toBe(248);
      expect(await knowledge.get("/agreements/P001")).toMatchObject({ value: '"live"' });
      expect(await knowledge.get("/agreements/P002")).toBeUndefined();
    });

    it("is put once by several that start at the same time", async () => {
      const added = await Promise.all([1, 2, 3, 4].map(() => seed(world.connect(), many)));
      expect(added.reduce((sum, one) => sum + one, 0)).toBe(many.length);
      expect((await knowledge.list("/")).entries.map(({ key }) => key)).toEqual(many.map(({ key }) => key));
    });

    it("goes on where one ended that was stopped in between, without what was deleted meanwhile", async () => {
      let puts = 0;
      const dying: Knowledge = {
        ...knowledge,
        get: (key) => knowledge.get(key),
        list: (prefix) => knowledge.list(prefix),
        put: async (...change) => {
          puts += 1;
          if (puts === 2) throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, "gone");
          return knowledge.put(...change);
        },
      };
      await expect(seed(dying, many)).rejects.toMatchObject({ message: "gone" });
      expect((await knowledge.list("/")).entries).toHaveLength(100);
      await knowledge.delete("/agreements/P000");
      expect(await seed(knowledge, many)).toBe(150);
      expect(await knowledge.get("/agreements/P000")).toBeUndefined();
      expect((await knowledge.list("/")).entries).toHaveLength(249);
    });
  },
);
