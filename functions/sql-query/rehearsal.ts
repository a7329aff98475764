/** A made-up query over a made-up file, so that the first real one meets warm code. */
import { createPrivateKey } from "node:crypto";
import { type ApprovalKeys, approvalKeysOf } from "#approval/approval-keys";
import { makeApprovalKeys } from "#approval/make-keys";
import { signApprovals } from "#approval/sign";
import { Envelope, Knowledge, Query, Role } from "#contracts";
import { approvalsOf, evaluateAgain } from "#domain/policy";

export const rehearsalFile = { name: "Rehearsal.csv", content: "id;name;amount\n1;a;1.5\n2;b;2.25\n" } as const;

export interface Rehearsal {
  readonly envelope: Envelope;
  /** Of this rehearsal alone. */
  readonly keys: ApprovalKeys;
}

export function rehearsalOf(nowMs: number): Rehearsal {
  const { privateJwk, publicJwk } = makeApprovalKeys("rehearsal");
  const query = Query.fromPartial({
    id: "rehearsal",
    requestType: "rehearsal",
    user: { id: "", name: "rehearsal" },
    sql: "SELECT r.name, avg(r.amount) AS mean FROM Rehearsal r GROUP BY r.name ORDER BY 1",
  });
  const envelope = Envelope.fromPartial({
    queryId: "rehearsal",
    party: "rehearsal",
    step: "sql-query",
    deadlineMs: nowMs + 10_000,
    query,
    chain: {
      id: "rehearsal",
      party: "rehearsal",
      role: Role.ALL,
      archetype: "home",
      steps: ["sql-query"],
      providers: ["rehearsal"],
    },
    knowledge: rehearsalKnowledge,
  });
  const verdict = evaluateAgain(query, "rehearsal", rehearsalKnowledge, nowMs);
  const key = { kid: "rehearsal", key: createPrivateKey({ key: privateJwk, format: "jwk" }) };
  const approvals = signApprovals(approvalsOf(query, [verdict], envelope.deadlineMs), {
    query,
    replyTo: "",
    attempt: 0,
    nowMs,
    key,
  });
  return { envelope: { ...envelope, approvals }, keys: approvalKeysOf({ keys: [publicJwk] }) };
}

const rehearsalKnowledge = Knowledge.fromPartial({
  agreements: [
    {
      name: "rehearsal",
      archetypes: ["home"],
      relations: {
        rehearsal: { requestTypes: ["rehearsal"], dataSets: ["rehearsal"], allowedArchetypes: ["home"] },
      },
    },
  ],
  dataSets: [
    {
      name: "rehearsal",
      party: "rehearsal",
      type: "csv",
      delimiter: ";",
      tables: [{ name: "Rehearsal", file: rehearsalFile.name }],
    },
  ],
});
