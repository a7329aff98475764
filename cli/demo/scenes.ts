/** The five questions of the demo. */
import type { QueryBody } from "../commands/ask.ts";
import { demoUser } from "./documents.ts";

export interface Scene {
  readonly title: string;
  /** Who asks, by their token. */
  readonly user: string;
  readonly query: QueryBody;
  /** HTTP status that the demo counts as right. */
  readonly expected: number;
  readonly writesChart?: boolean;
}

const user = demoUser;
const join = "FROM Personen p JOIN Aanstellingen s ON p.Unieknr = s.Unieknr AND p.Peildat = s.Peildat";
const salaries = `SELECT p.Geslacht, s.Salschal ${join}`;

export const scenes: readonly Scene[] = [
  {
    title:
      "Compute to data: each university computes at home, only averages leave. RUG is asked too and has no agreement.",
    user,
    query: { providers: ["UVA", "VU", "RUG"], sql: salaries, algorithm: "average" },
    expected: 200,
  },
  {
    title: "Through the third party: SURF unites both universities' rows and computes once.",
    user,
    query: { providers: ["UVA", "VU"], sql: salaries, algorithm: "average", options: { aggregate: true } },
    expected: 200,
  },
  {
    title: "Anonymised on demand: UVA's agreement demands it, so its birth dates are cut to the year; VU's are not.",
    user,
    query: {
      providers: ["UVA", "VU"],
      sql: `SELECT p.Geslacht, p.Gebdat, s.Salschal ${join} ORDER BY p.Unieknr LIMIT 3`,
    },
    expected: 200,
  },
  {
    title: "With a chart: the median salary scale by faculty and gender, drawn at SURF.",
    user,
    query: {
      providers: ["UVA", "VU"],
      sql: `SELECT s.HOOPgeb, p.Geslacht, s.Salschal ${join}`,
      algorithm: { name: "median", column: "Salschal", groupBy: ["HOOPgeb", "Geslacht"] },
      options: { aggregate: true, graph: true },
    },
    expected: 200,
    writesChart: true,
  },
  {
    title: "Refused: a stranger asks.",
    user: "stranger@example.org",
    query: { providers: ["UVA", "VU"], sql: salaries, algorithm: "average" },
    expected: 403,
  },
];
