/** A made-up query over a made-up file, so that the first real one meets warm code. */
import { Envelope } from "#contracts";

export const rehearsalFile = { name: "Rehearsal.csv", content: "id;name;amount\n1;a;1.5\n2;b;2.25\n" } as const;

export function rehearsalEnvelope(nowMs: number): Envelope {
  const user = { id: "", name: "rehearsal" };
  return Envelope.fromPartial({
    queryId: "rehearsal",
    party: "rehearsal",
    step: "sql-query",
    deadlineMs: nowMs + 10_000,
    approvals: [
      {
        queryId: "rehearsal",
        user,
        provider: "rehearsal",
        terms: { dataSets: ["rehearsal"] },
        expiresAtMs: nowMs + 10_000,
      },
    ],
    query: {
      id: "rehearsal",
      user,
      sql: "SELECT r.name, avg(r.amount) AS mean FROM Rehearsal r GROUP BY r.name ORDER BY 1",
    },
    knowledge: {
      dataSets: [
        {
          name: "rehearsal",
          party: "rehearsal",
          type: "csv",
          delimiter: ";",
          tables: [{ name: "Rehearsal", file: rehearsalFile.name }],
        },
      ],
    },
  });
}
