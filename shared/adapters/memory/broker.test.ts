import { describe } from "vitest";
import type { Broker } from "#ports/broker";
import { brokerContract } from "#testing/broker-contract";
import { createMemoryExchange } from "./broker.ts";

describe("the in-memory broker", () => {
  brokerContract(async () => {
    const hub = createMemoryExchange();
    const open: Broker[] = [];
    return {
      connect: async (party) => {
        const broker = hub.connect({ party });
        open.push(broker);
        return broker;
      },
      close: async () => {
        await Promise.all(open.map((broker) => broker.close()));
      },
    };
  });
});
