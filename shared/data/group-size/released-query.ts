/** The SQL that may run under the terms of an approval, and what is said of the groups that it leaves out. */
import { ErrorCode, type Terms } from "#contracts";
import { groupsLeftOut, nothingTold, smallestGroup, someLeftOut } from "#domain/smallest-group";
import { DynamosError } from "#errors";
import { type DuckDBConnection, quoted, rowsOf } from "../duckdb.ts";
import { aggregatedTermsMax } from "../lineage/expression.ts";
import type { LoadedColumns, QueryLineage } from "../lineage/query-lineage.ts";
import { folded, isTree, type Tree } from "../lineage/tree.ts";
import { shorten } from "../shorten.ts";
import { sqlOfTree } from "../sql-tree.ts";
import type { TableNotes } from "../table-notes.ts";
import { aggregating, checkSummary, type FollowingAlgorithm, groupingColumns } from "./following-algorithm.ts";
import { inlineCommonTables } from "./inline-common-tables.ts";
import { type GroupCheck, hiddenPrefix, SizedGroups } from "./sized-groups.ts";

export interface ReleaseQuestion {
  readonly sql: string;
  readonly statement: Tree;
  readonly lineage: QueryLineage;
  readonly loaded: readonly LoadedColumns[];
  readonly terms: Partial<Pick<Terms, "aggregatesOnly" | "minimumGroupSize">>;
  /** What follows in the chain; undefined: nothing. */
  readonly algorithm: FollowingAlgorithm | undefined;
  readonly measure: TableNotes["measure"];
}

export interface Released {
  readonly sql: string;
  readonly remarks: readonly string[];
}

/** @throws DynamosError SQL_REFUSED, which names the column that is a value of single rows; the engine's own errors */
export async function releasedQuery(connection: DuckDBConnection, question: ReleaseQuestion): Promise<Released> {
  const { terms, sql, lineage, loaded } = question;
  const least = smallestGroup(terms);
  const algorithm = aggregating(question.algorithm);
  if (least === 0 || (algorithm !== undefined && !terms.aggregatesOnly)) return { sql, remarks: [] };
  checkNames(question);
  const groups = new SizedGroups({
    least,
    tables: new Set(loaded.map(({ table }) => folded(table))),
    isStrict: terms.aggregatesOnly ?? false,
  });
  const run = { connection, groups, least };
  if (algorithm !== undefined) {
    checkSummary(algorithm);
    return rowsForAlgorithm(question, algorithm, run);
  }
  if (terms.aggregatesOnly) checkAggregates(lineage);
  const sized = groups.sized(inlined(question));
  // What aggregates nothing is what the user wrote.
  if (!groups.isSized) return { sql, remarks: [] };
  return { sql: await sqlOfTree(connection, sized), remarks: await leftOut(run) };
}

interface Run {
  readonly connection: DuckDBConnection;
  readonly groups: SizedGroups;
  readonly least: number;
}

function inlined({ statement }: ReleaseQuestion): Tree {
  return inlineCommonTables(isTree(statement.node) ? statement.node : {});
}

/** Numbers of rows are counted under names that nothing else may bear. */
function checkNames({ statement, loaded }: ReleaseQuestion): void {
  if (JSON.stringify(statement).toLowerCase().includes(hiddenPrefix)) {
    throw refused(`no name or text may have "${hiddenPrefix}" in it here`);
  }
  const numbered = loaded.find(({ columns }) => columns.some((column) => folded(column) === "rowid"));
  if (numbered !== undefined) {
    throw refused(`the groups of ${numbered.table} can't be counted, since it has a column named rowid`);
  }
}

function checkAggregates({ columns, rows, tells }: QueryLineage): void {
  const raw = columns.findIndex(({ lineage }) => lineage.kind === "row");
  if (rows !== "row" && raw < 0 && tells.length === 0) return;
  const at = Math.max(raw, 0);
  const name = columns[at]?.name;
  const column = name === undefined ? `column ${at + 1}` : `column ${shorten(name)}`;
  const hint = tells[0] ?? "select aggregates, and the columns of GROUP BY";
  const isRaw = raw >= 0 || rows === "row";
  throw refused(
    isRaw
      ? `only aggregates are allowed, and ${column} is a value of single rows: ${hint}`
      : `only aggregates are allowed: ${hint}`,
  );
}

/**
 * Rows as they are, for an algorithm that aggregates them. It counts rows; so those of a group that
 * repeats fewer different rows than it seems to have are left out here.
 */
async function rowsForAlgorithm(question: ReleaseQuestion, algorithm: FollowingAlgorithm, run: Run): Promise<Released> {
  const { lineage, measure } = question;
  const names = lineage.columns.flatMap(({ name }) => name ?? []);
  const by = groupingColumns(algorithm, measure, names);
  const isKey = (name: string | undefined) => by.some((key) => folded(key) === folded(name ?? ""));
  const other = lineage.columns.find(({ name, lineage: { terms } }) => terms > aggregatedTermsMax && !isKey(name));
  const [tells] = lineage.tells;
  if (tells !== undefined) throw refused(`only aggregates are allowed: ${tells}`);
  if (other !== undefined) {
    const column = other.name === undefined ? "a column" : `the column ${shorten(other.name)}`;
    throw refused(
      `only aggregates are allowed, and ${column} is an expression that may be about a single row: give the algorithm a column, or the sum, difference or product of two; put conditions into WHERE`,
    );
  }
  const numbered = run.groups.numbered(inlined(question));
  if (numbered === undefined || numbered.hidden.length === 0) return { sql: question.sql, remarks: [] };
  const inner = await sqlOfTree(run.connection, numbered.node);
  const keys = by.map(quoted).join(", ");
  const over = `OVER (${keys === "" ? "" : `PARTITION BY ${keys}`})`;
  const enough = (window: string) =>
    numbered.hidden
      .map(quoted)
      .map(
        (h) =>
          `(count(DISTINCT ${h}) ${window} >= least(${run.least}, count(*) ${window}) OR count(${h}) ${window} = 0)`,
      )
      .join(" AND ");
  const sql = `SELECT * EXCLUDE (${numbered.hidden.map(quoted).join(", ")}) FROM (${inner}) QUALIFY ${enough(over)}`;
  if (keys === "") return { sql, remarks: [] };
  const small = `SELECT count(*) FROM (SELECT ${keys} FROM (${inner}) GROUP BY ${keys} HAVING NOT (${enough("")}))`;
  const groups = Number((await rowsOf(run.connection, small))[0]?.[0] ?? 0);
  return { sql, remarks: groups === 0 ? [] : [groupsLeftOut(groups, run.least)] };
}

async function leftOut(run: Run): Promise<string[]> {
  const remarks: string[] = [];
  for (const check of run.groups.checks) {
    const remark = await remarkOf(check, run).catch((error: unknown) => {
      // A sub-query that names columns of what stands before it can't be counted by itself.
      if (error instanceof Error && error.message.startsWith("Binder Error")) return someLeftOut(run.least);
      throw error;
    });
    if (remark !== undefined) remarks.push(remark);
  }
  return [...new Set(remarks)];
}

async function remarkOf(check: GroupCheck, { connection, least }: Run): Promise<string | undefined> {
  const whole = await rowsOf(connection, await sqlOfTree(connection, check.whole));
  if (whole[0]?.[0] !== true) return nothingTold(least);
  const all = await sqlOfTree(connection, check.groups);
  const [row] = await rowsOf(connection, `SELECT count(*) FROM (${all}) WHERE NOT ${quoted(check.size)}`);
  const small = Number(row?.[0] ?? 0);
  return small === 0 ? undefined : groupsLeftOut(small, least);
}

function refused(what: string): DynamosError {
  return new DynamosError(ErrorCode.SQL_REFUSED, what);
}
