import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Knowledge } from "#ports/knowledge";
import { type Etcd, etcdIsThere, startEtcd } from "#testing/etcd";
import { knowledgeContract } from "#testing/knowledge-contract";
import { connectEtcd } from "./knowledge.ts";

describe.skipIf(!etcdIsThere("the contract of the knowledge base over it"))("the knowledge base in etcd", () => {
  let etcd: Etcd;
  let worlds = 0;
  beforeAll(async () => {
    etcd = await startEtcd({ more: ["--max-request-bytes", "67108864"] });
  });
  afterAll(() => etcd.stop());

  knowledgeContract(async () => {
    worlds += 1;
    const namespace = `test-${worlds}`;
    const open: Knowledge[] = [];
    return {
      connect: async () => {
        const knowledge = connectEtcd({ endpoints: [etcd.url], namespace });
        open.push(knowledge);
        return knowledge;
      },
      close: async () => {
        await Promise.all(open.map((knowledge) => knowledge.close()));
      },
    };
  });

  it("takes and brings documents of many megabytes, where etcd is told to take them", async () => {
    const knowledge = connectEtcd({ endpoints: [etcd.url], namespace: "large" });
    const value = "x".repeat(12 * 1_048_576);
    const changes = knowledge.watch("/")[Symbol.asyncIterator]();
    const revision = await knowledge.put("/a", value, { also: [{ key: "/b", value }] });
    expect((await changes.next()).value).toEqual({ kind: "put", entry: { key: "/a", value, revision } });
    expect((await knowledge.list("/")).entries.map((one) => one.value.length)).toEqual([value.length, value.length]);
    await knowledge.close();
  }, 60_000);
});
