/** Made-up queries over made-up files, so that the first real one meets warm code. */
import { createPrivateKey } from "node:crypto";
import { type ApprovalKeys, approvalKeysOf } from "#approval/approval-keys";
import { makeApprovalKeys } from "#approval/make-keys";
import { signApprovals } from "#approval/sign";
import { Envelope, Knowledge, Query, Role } from "#contracts";
import { approvalsOf, evaluateAgain } from "#domain/policy";

/** As columns have them: none, short ones, and one that the engine holds elsewhere. */
const names = ["", "a", "b", "c", "of more than twelve bytes"];

/** One file for both tables: to import takes as long as to query. */
export const rehearsalFile = {
  name: "Rehearsal.csv",
  content: [
    "id;day;name;amount;scale",
    ...Array.from({ length: 48 }, (_, id) => `${id};2025-01-31;${names[id % names.length]};${id}.5;${id % 9}`),
    "",
  ].join("\n"),
} as const;

const columns = [
  { name: "name", title: "Name" },
  { name: "scale", title: "Scale", unit: "steps" },
];

/**
 * Of few rows many: V8 compiles the loops over rows only when it has seen them work. A condition of two parts, as joins
 * of a person's records have.
 */
const join = "FROM Persons p JOIN Amounts a ON p.day = a.day AND p.id >= 0";
/** Rows for an algorithm, and what the engine computes itself. */
export const rehearsalQueries = [
  `SELECT p.name, a.scale ${join}`,
  `SELECT p.name, avg(a.amount) AS mean, count(*) ${join} WHERE a.scale > 5 GROUP BY p.name ORDER BY 1`,
] as const;

export interface Rehearsal {
  readonly envelope: Envelope;
  /** Of this rehearsal alone. */
  readonly keys: ApprovalKeys;
}

export function rehearsalOf(sql: string, nowMs: number): Rehearsal {
  const { privateJwk, publicJwk } = makeApprovalKeys("rehearsal");
  const query = Query.fromPartial({
    id: "rehearsal",
    requestType: "rehearsal",
    user: { id: "", name: "rehearsal" },
    sql,
    algorithm: { name: "average" },
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
      steps: ["sql-query", "sql-algorithm"],
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
  // As it comes from its bytes.
  const bytes = Envelope.encode({ ...envelope, approvals }).finish();
  return { envelope: Envelope.decode(bytes), keys: approvalKeysOf({ keys: [publicJwk] }) };
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
      tables: [
        { name: "Persons", file: rehearsalFile.name, columns },
        { name: "Amounts", file: rehearsalFile.name, columns },
      ],
      measure: { column: "scale", groupBy: ["name"] },
    },
  ],
});
