import { afterAll, beforeAll, describe } from "vitest";
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
});
