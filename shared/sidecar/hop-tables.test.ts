import { describe, expect, it } from "vitest";
import { createMemoryTransfers } from "#adapters/memory/transfers";
import { systemClock } from "#adapters/system/clock";
import { Envelope, Role } from "#contracts";
import { limits } from "#domain/limits";
import { hopOutput } from "./hop-tables.ts";

async function lifeOf(change: Partial<Envelope>): Promise<number> {
  const transfers = createMemoryTransfers(systemClock);
  let lifeMs = 0;
  const open = async (target: Parameters<typeof transfers.open>[0]) => {
    lifeMs = target.expiresInMs;
    return transfers.open(target);
  };
  const base = Envelope.fromPartial({
    party: "UVA",
    step: "sql-query",
    hop: 0,
    deadlineMs: 10_000,
    replyTo: "reply.uva.1",
    queryId: "q1",
    chain: {
      id: "UVA",
      party: "UVA",
      role: Role.ALL,
      archetype: "computeToData",
      steps: ["sql-query"],
      providers: ["UVA"],
    },
    approvals: [{ queryId: "q1", provider: "UVA", terms: { archetypes: ["computeToData"] } }],
  });
  const output = hopOutput({ ...base, ...change }, { ...transfers, open }, 4_000);
  await output.take(Buffer.from("table"));
  await output.abandon();
  return lifeMs;
}

describe("a table that a hop writes", () => {
  it("lives a moment longer than its query when a step gets it", async () => {
    const chain = Envelope.fromPartial({ chain: { id: "UVA", party: "UVA", steps: ["sql-query", "sql-graph"] } }).chain;
    expect(await lifeOf({ chain })).toBe(6_000 + limits.transferGraceMs);
  });

  it("lives as long as answers are kept when the asker gets it", async () => {
    expect(await lifeOf({})).toBe(6_000 + limits.transferUnrenewedMs + limits.transferGraceMs);
  });
});
