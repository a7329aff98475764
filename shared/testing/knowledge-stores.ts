/** Every store that a knowledge base can be, for suites that run over each: the embedded one, and an etcd where it is installed. */

import { connectEtcd } from "#adapters/etcd/knowledge";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { systemClock } from "#adapters/system/clock";
import type { Knowledge } from "#ports/knowledge";
import { type Etcd, etcdIsThere, startEtcd } from "./etcd.ts";

export interface KnowledgeStore {
  readonly name: string;
  start(): Promise<void>;
  /** An empty one. Each call of `connect` is a client of its own. */
  fresh(): { connect(): Knowledge; close(): Promise<void> };
  stop(): Promise<void>;
}

/** @param suite for the line that says that it does not run over etcd */
export function knowledgeStores(suite: string): KnowledgeStore[] {
  return [memoryStore(), ...(etcdIsThere(suite) ? [etcdStore()] : [])];
}

function memoryStore(): KnowledgeStore {
  return {
    name: "the embedded store",
    start: async () => {},
    fresh: () => {
      const knowledge = createMemoryKnowledge({ clock: systemClock });
      return { connect: () => knowledge, close: () => knowledge.close() };
    },
    stop: async () => {},
  };
}

function etcdStore(): KnowledgeStore {
  let etcd: Etcd | undefined;
  let count = 0;
  return {
    name: "etcd",
    start: async () => {
      etcd = await startEtcd();
    },
    fresh: () => {
      count += 1;
      const namespace = `store-${count}`;
      const open: Knowledge[] = [];
      const connect = () => {
        const one = connectEtcd({ endpoints: [etcd?.url ?? ""], namespace });
        open.push(one);
        return one;
      };
      return { connect, close: async () => void (await Promise.all(open.map((one) => one.close()))) };
    },
    stop: async () => etcd?.stop(),
  };
}
