import { describe, expect, it } from "vitest";
import { createMemoryClock } from "#adapters/memory/clock";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog } from "#adapters/memory/log";
import { Envelope, ErrorCode, Role } from "#contracts";
import { approvalsOf, evaluate } from "#domain/policy";
import { wageGapQuery } from "#testing/wage-gap-knowledge";
import { demoDocuments } from "../../cli/demo/documents.ts";
import { createCancelled } from "./cancelled.ts";
import { createEnforcement } from "./enforcement.ts";
import { openKnowledgeCache } from "./knowledge-cache.ts";

const user = "researcher@example.org";

async function opened() {
  const clock = createMemoryClock(1);
  const log = createMemoryLog();
  const knowledge = createMemoryKnowledge({ clock });
  const dataSet = { name: "wageGap", party: "UVA", type: "csv", tables: [{ name: "Personen", file: "p.csv" }] };
  for (const { key, value } of [...demoDocuments, { key: "/dataSets/UVA/wageGap", value: dataSet }]) {
    await knowledge.put(key, JSON.stringify(value));
  }
  const cache = await openKnowledgeCache({ knowledge, exchangeParty: "exchange", clock, log });
  const approvals = { errorOf: () => undefined };
  const enforcement = createEnforcement({ cache, cancelled: createCancelled(clock), approvals, clock, log });
  const query = wageGapQuery({ user: { id: "", name: user }, providers: ["UVA"] });
  const known = { ...cache.about(["UVA"], user), usage: [] };
  const envelope = Envelope.fromPartial({
    queryId: query.id,
    party: "UVA",
    attempt: 1,
    query,
    chain: {
      id: "UVA",
      party: "UVA",
      role: Role.ALL,
      archetype: "computeToData",
      providers: ["UVA"],
      steps: ["sql-query", "sql-anonymize", "sql-algorithm"],
    },
    approvals: approvalsOf(query, [evaluate(query, "UVA", known, 1)], 100),
  });
  return { knowledge, cache, enforcement, envelope };
}

describe("enforcement", () => {
  it("lets go on what is agreed, and ends it in the turn in which the change is seen", async () => {
    const { knowledge, enforcement, envelope } = await opened();
    expect(envelope.approvals).toHaveLength(1);
    const said: number[] = [];
    let seen: ErrorCode | undefined;
    const end = async () => {
      seen = enforcement.errorOf(envelope)?.code;
    };
    await enforcement.follow(end, { applied: async (revision) => void said.push(revision), isSaid: () => true });
    expect(seen).toBeUndefined();
    const revision = await knowledge.delete("/agreements/UVA");
    await expect.poll(() => said.at(-1)).toBe(revision);
    expect(seen).toBe(ErrorCode.REVOKED);
  });

  it("lets nothing go on while a change may not have waited for this sidecar", async () => {
    const { enforcement, envelope, cache } = await opened();
    const asked: number[] = [];
    const isSaid = (revision: number) => {
      asked.push(revision);
      return false;
    };
    await enforcement.follow(async () => {}, { applied: async () => {}, isSaid });
    expect(enforcement.errorOf(envelope)?.code).toBe(ErrorCode.KNOWLEDGE_UNAVAILABLE);
    expect(asked).toEqual([cache.revision]);
  });

  it("says nothing of a change before what it ends is over", async () => {
    const { knowledge, enforcement } = await opened();
    const said: number[] = [];
    let finish = () => {};
    let isHeld = false;
    const end = async () => {
      if (!isHeld) return;
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    };
    await enforcement.follow(end, { applied: async (revision) => void said.push(revision), isSaid: () => true });
    isHeld = true;
    const before = said.length;
    const revision = await knowledge.delete("/agreements/UVA");
    await new Promise((turn) => setTimeout(turn, 20));
    expect(said).toHaveLength(before);
    finish();
    await expect.poll(() => said.at(-1)).toBe(revision);
  });
});
