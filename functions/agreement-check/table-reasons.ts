/** What an agreement protects in tables that there are not: it would protect nothing, and nobody would be told. */
import { type Agreement, type DataSet, ErrorCode, type Reason } from "#contracts";
import { compareNames, listed } from "#domain/by-name";
import { nearestHint } from "#domain/nearest-name";
import { pathMember } from "#domain/path-member";
import { broadlyFolded } from "#domain/permitted-columns";

/**
 * In the order of users and tables. Of a relation that names a data set which is not described yet nothing is said.
 *
 * @param dataSets of the agreement's party
 */
export function tableReasons({ relations }: Agreement, dataSets: readonly DataSet[]): Reason[] {
  return Object.entries(relations)
    .sort(([a], [b]) => compareNames(a, b))
    .flatMap(([user, relation]) => {
      const tables = tablesOf(relation.dataSets, dataSets);
      if (tables === undefined) return [];
      const known = new Set(tables.map(broadlyFolded));
      const clauses = [
        ["rowFilters", relation.rowFilters] as const,
        ["deniedColumns", relation.deniedColumns?.tables ?? []] as const,
      ];
      return clauses.flatMap(([clause, named]) =>
        named
          .map(({ table }) => table)
          .filter((table) => !known.has(broadlyFolded(table)))
          .sort(compareNames)
          .map((table) => ({
            code: ErrorCode.UNKNOWN_TABLE,
            clause: `relations[${JSON.stringify(user)}].${clause}${pathMember(table)}`,
            message: noTable(table, relation.dataSets, tables),
          })),
      );
    });
}

/** Undefined: not all of them are described, or none is named. */
function tablesOf(names: readonly string[], dataSets: readonly DataSet[]): string[] | undefined {
  const found = names.map((name) => dataSets.find((dataSet) => dataSet.name === name)?.tables ?? []);
  if (found.length === 0 || found.some((tables) => tables.length === 0)) return undefined;
  return [...new Set(found.flat().map(({ name }) => name))].sort(compareNames);
}

function noTable(table: string, dataSets: readonly string[], tables: readonly string[]): string {
  const hint = nearestHint(table, tables, `there are ${listed(tables)}`);
  return `there is no table ${table} in ${listed(dataSets)}: ${hint}`;
}
