/** How many rows a group must have for its result to leave. */
import type { Approval, Terms } from "#contracts";
import { limits } from "./limits.ts";

type GroupTerms = Partial<Pick<Terms, "aggregatesOnly" | "minimumGroupSize">>;

/** A group of one row is that row: where aggregates alone are allowed it never leaves. 0: any group may. */
export function smallestGroup({ aggregatesOnly, minimumGroupSize }: GroupTerms): number {
  return Math.max(minimumGroupSize ?? 0, aggregatesOnly ? limits.aggregatedRowsMin : 0);
}

/** Of data of several providers: the largest, since a row of any of them may be in a group. */
export function smallestGroupOf(approvals: readonly Pick<Approval, "terms">[]): number {
  return Math.max(0, ...approvals.map(({ terms }) => (terms === undefined ? 0 : smallestGroup(terms))));
}

/** In words for the asker. */
export function groupsLeftOut(groups: number, least: number): string {
  const were = groups === 1 ? "1 group of fewer than" : `${groups} groups of fewer than`;
  return `${were} ${least} rows ${groups === 1 ? "was" : "were"} left out`;
}

/** Of a query about fewer rows than the minimum: also a number of groups would tell whether there is a row. */
export function nothingTold(least: number): string {
  return `the query is about fewer than ${least} rows: nothing is told of them`;
}

/** Where they can't be counted. */
export function someLeftOut(least: number): string {
  return `groups of fewer than ${least} rows are left out`;
}
