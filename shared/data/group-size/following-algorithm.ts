/** The algorithm that follows a query in its chain, as far as the query's own columns must be judged by it. */
import { ErrorCode } from "#contracts";
import { isRows } from "#domain/head";
import { DynamosError } from "#errors";
import { averagesColumns } from "../averages-columns.ts";
import { folded } from "../lineage/tree.ts";
import type { TableNotes } from "../table-notes.ts";

export interface FollowingAlgorithm {
  readonly name: string;
  readonly column: string;
  readonly groupBy: readonly string[];
}

/** Those whose result depends on all values of a group together. */
const summaries: ReadonlySet<string> = new Set([
  "average",
  "avg",
  "mean",
  "averages",
  "sum",
  "count",
  "standarddeviation",
  "stddev",
]);

/** @returns undefined where the rows go on as they are */
export function aggregating(algorithm: FollowingAlgorithm | undefined): FollowingAlgorithm | undefined {
  return isRows(algorithm) ? undefined : algorithm;
}

/** @throws DynamosError SQL_REFUSED for one that gives values of single rows */
export function checkSummary({ name }: FollowingAlgorithm): void {
  if (summaries.has(name.toLowerCase())) return;
  throw new DynamosError(
    ErrorCode.SQL_REFUSED,
    `only aggregates are allowed, and the algorithm ${name} hands out values of single rows: ask for average, sum, count or standardDeviation`,
  );
}

/**
 * The columns by which sql-algorithm will group.
 * @param names of the query's columns
 */
export function groupingColumns(
  algorithm: FollowingAlgorithm,
  measure: TableNotes["measure"],
  names: readonly string[],
): readonly string[] {
  if (algorithm.name.toLowerCase() === "averages") return [averagesColumns.gender];
  const isThere = (column: string) => names.some((name) => folded(name) === folded(column));
  const isMeasured = algorithm.column === "" && measure !== undefined && isThere(measure.column);
  return algorithm.groupBy.length > 0 || !isMeasured ? algorithm.groupBy : measure.groupBy.filter(isThere);
}
