/** What was wanted of the system, and whether this run's numbers say that it is so. */
import { cellText } from "../bench-result.ts";

/** Of each part, by its name. */
export type Figures = Readonly<Record<string, Readonly<Record<string, number>>>>;

interface Goal {
  readonly what: string;
  readonly part: string;
  /** Of that part's figures. */
  readonly figure: string;
  readonly least?: number;
  readonly most?: number;
  readonly unit: "times" | "percent";
}

const goals: readonly Goal[] = [
  {
    what: "a pool of forked workers gives at least 8 times the invocations a second of cold spawns",
    part: "invocation",
    figure: "fork pool : spawn cold, invocations/s",
    least: 8,
    unit: "times",
  },
  {
    what: "and its p50 is within 3 times that of a process that is reused",
    part: "invocation",
    figure: "fork pool : reused, p50",
    most: 3,
    unit: "times",
  },
  {
    what: "whole query over RabbitMQ, computeToData, one provider: at least 5 times the queries a second of cold spawns",
    part: "query",
    figure: "default : cold, queries/s",
    least: 5,
    unit: "times",
  },
  {
    what: "the same with the steps of a party fused",
    part: "query",
    figure: "fused : cold, queries/s",
    least: 5,
    unit: "times",
  },
  {
    what: "the same with every step forked",
    part: "query",
    figure: "fork : cold, queries/s",
    least: 5,
    unit: "times",
  },
  {
    what: "its p50 is at most twice that of long-lived workers",
    part: "query",
    figure: "default : long-lived, p50",
    most: 2,
    unit: "times",
  },
  {
    what: "the same with the steps of a party fused",
    part: "query",
    figure: "fused : long-lived, p50",
    most: 2,
    unit: "times",
  },
  {
    what: "two providers and a third party: at most 3 times the p50 of one provider",
    part: "query",
    figure: "third party : one provider, p50",
    most: 3,
    unit: "times",
  },
  {
    what: "30,000 rows from the engine's join to an average: at most 3 times DuckDB and one copy over a socket alone",
    part: "rows-alone",
    figure: "join : alone",
    most: 3,
    unit: "times",
  },
  {
    what: "a columnar table is written and read at least 10 times faster than a Struct",
    part: "encoding",
    figure: "Struct : columnar, write and read",
    least: 10,
    unit: "times",
  },
  {
    what: "250,000 rows through the third party, first rows first: they come before 10 % of the whole time",
    part: "rows",
    figure: "250,000 rows through the third party, first rows first, first row : whole time",
    most: 0.1,
    unit: "percent",
  },
];

export interface JudgedGoal {
  readonly what: string;
  readonly seen: string;
  readonly verdict: "reached" | "not reached" | "not measured";
}

export function judgedGoals(figures: Figures): JudgedGoal[] {
  return goals.map(({ what, part, figure, least, most, unit }) => {
    const seen = figures[part]?.[figure];
    if (seen === undefined || !Number.isFinite(seen)) return { what, seen: "–", verdict: "not measured" };
    const isReached = (least === undefined || seen >= least) && (most === undefined || seen <= most);
    const text = unit === "percent" ? `${cellText(seen * 100)} %` : `${cellText(seen)} times`;
    return { what, seen: text, verdict: isReached ? "reached" : "not reached" };
  });
}
