/** SQL made up by a grammar, over the tables of the corpus and what is not permitted of them. */
import fc from "fast-check";

const good = <Text extends string>(weight: number, ...items: readonly Text[]) => ({
  arbitrary: fc.constantFrom(...items),
  weight,
});
const pick = (...items: readonly string[]) => fc.constantFrom(...items);
const maybe = (of: fc.Arbitrary<string>) => fc.option(of, { nil: "", freq: 1 });
const seldom = (of: fc.Arbitrary<string>) =>
  fc.oneof({ arbitrary: fc.constant(""), weight: 9 }, { arbitrary: of, weight: 1 });
const joined = (...parts: readonly fc.Arbitrary<string>[]) =>
  fc.tuple(...parts).map((words) => words.filter(Boolean).join(" "));
const list = (of: fc.Arbitrary<string>, min: number, max: number) =>
  fc.array(of, { minLength: min, maxLength: max }).map((items) => items.join(", "));

/** What is there and what is not, mixed so that about every second query can be run. */
const column = fc.oneof(
  good(30, "Unieknr", "Geslacht", "Gebdat", "Naam"),
  good(3, "p.Naam", "p.Unieknr", "Salschal", "n", "a.Bedrag"),
  good(1, "bsn", "wat", "Code", "rowid", "Personen.bsn", "Geheim.wat", "p.bsn", "#1", "#5"),
);
const table = fc.oneof(
  good(20, "Personen p", "Personen", "Personen AS p", "personen p JOIN Aanstellingen a USING (Unieknr)"),
  good(4, "Aanstellingen a", "Personen p LEFT JOIN Aanstellingen a USING (Unieknr)", "Personen p, Personen q"),
  good(
    2,
    "Personen p NATURAL JOIN Aanstellingen a",
    "Personen AS p(Unieknr, n)",
    "(VALUES (1, 'x')) AS p(Unieknr, Naam)",
  ),
  good(
    1,
    "Geheim",
    "read_csv('Geheim.csv')",
    "'Geheim.csv'",
    "main.Personen",
    "duckdb_tables()",
    "Personen AS p(rowid)",
  ),
);
const constant = good(6, "1", "0", "-7", "1.5", "'x'", "'V'", "NULL", "true", "DATE '1990-01-01'", "999", "''");
const typeName = fc.oneof(
  good(12, "VARCHAR", "INT", "DATE", "DOUBLE"),
  good(1, "BLOB", "INT[]", "STRUCT(a INT)", "UTINYINT", "DECIMAL(4,1)"),
);

const { query } = fc.letrec<{ query: string; select: string; from: string; expression: string; condition: string }>(
  (tie) => {
    const expression = tie("expression");
    const item = fc.oneof(
      { arbitrary: expression, weight: 10 },
      { arbitrary: joined(expression, fc.constant("AS"), pick("n", "x", "Naam", "Unieknr")), weight: 5 },
      good(4, "*", "p.*", "* EXCLUDE (Naam)", "* REPLACE (1 AS Naam)", "* RENAME (Naam AS n)"),
      good(1, "COLUMNS('b.*')", "* LIKE 'b%'", "* REPLACE (bsn AS Naam)", 'Naam AS "dynamos row 1"', "p", "1 AS rowid"),
    );
    const one = joined(
      pick("upper", "length", "md5", "abs", "coalesce", "concat", "hash"),
      expression.map((x) => `(${x})`),
    );
    const aggregate = joined(
      pick(
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "any_value",
        "first",
        "median",
        "stddev",
        "string_agg",
        "mode",
        "count_if",
      ),
      expression.map((x) => `(${x})`),
    );
    const odd = fc
      .tuple(pick("getenv", "typeof", "list", "row", "current_setting", "unnest", "error", "to_json"), expression)
      .map(([name, given]) => `${name}(${given})`);
    const window = fc
      .tuple(aggregate, pick("()", "(PARTITION BY Geslacht)", "(ORDER BY Unieknr)", "(ORDER BY bsn)"))
      .map(([call, over]) => `${call} OVER ${over}`);
    const grouped = joined(
      fc.constant("SELECT"),
      list(
        fc.oneof(
          { arbitrary: aggregate, weight: 3 },
          pick("Geslacht", "count(*)", "Geslacht AS n", "year(Gebdat) AS n"),
        ),
        1,
        3,
      ),
      fc.constant("FROM"),
      tie("from"),
      maybe(joined(fc.constant("WHERE"), tie("condition"))),
      maybe(
        pick(
          "GROUP BY ALL",
          "GROUP BY Geslacht",
          "GROUP BY 1",
          "GROUP BY ROLLUP (Geslacht)",
          "GROUP BY Unieknr",
          "GROUP BY bsn",
        ),
      ),
      seldom(joined(fc.constant("HAVING"), aggregate, fc.constant("IS NOT NULL"))),
    );
    return {
      query: joined(
        seldom(
          fc.tuple(pick("t", "c", "c(n)", "Personen"), tie("select")).map(([name, sql]) => `WITH ${name} AS (${sql})`),
        ),
        tie("select"),
        seldom(fc.tuple(pick("UNION", "UNION ALL", "EXCEPT", "UNION BY NAME"), tie("select")).map((x) => x.join(" "))),
        seldom(joined(fc.constant("ORDER BY"), list(expression, 1, 2))),
        seldom(pick("LIMIT 2", "LIMIT 1 OFFSET 1", "LIMIT 10%", "; SELECT 2", "-- end", "USING SAMPLE 1")),
      ),
      select: fc.oneof(
        { maxDepth: 3, depthSize: "small" },
        joined(
          fc.constant("SELECT"),
          seldom(pick("DISTINCT", "DISTINCT ON (Geslacht)")),
          list(item, 1, 3),
          fc.constant("FROM"),
          tie("from"),
          maybe(joined(fc.constant("WHERE"), tie("condition"))),
          seldom(joined(fc.constant("QUALIFY"), tie("condition"))),
        ),
        grouped,
      ),
      from: fc.oneof(
        { maxDepth: 2, depthSize: "small" },
        { arbitrary: table, weight: 12 },
        {
          arbitrary: fc.tuple(tie("select"), pick("p", "t", "p(n)", "")).map(([sql, alias]) => `(${sql}) ${alias}`),
          weight: 3,
        },
        {
          arbitrary: fc
            .tuple(
              table,
              pick("CROSS JOIN", "SEMI JOIN", ",", "POSITIONAL JOIN", ", LATERAL", "FULL JOIN"),
              tie("from"),
              pick("", "ON true", "USING (bsn)"),
            )
            .map((parts) => parts.join(" ")),
          weight: 1,
        },
      ),
      expression: fc.oneof(
        { maxDepth: 3, depthSize: "small" },
        { arbitrary: column, weight: 14 },
        constant,
        { arbitrary: one, weight: 3 },
        { arbitrary: window, weight: 1 },
        {
          arbitrary: fc.tuple(expression, pick("||", "+", "*", "/"), expression).map((parts) => `(${parts.join(" ")})`),
          weight: 2,
        },
        {
          arbitrary: fc
            .tuple(expression, typeName, pick("TRY_CAST", "TRY_CAST", "CAST"))
            .map(([of, type, how]) => `${how}(${of} AS ${type})`),
          weight: 3,
        },
        {
          arbitrary: fc.tuple(tie("condition"), expression).map(([a, b]) => `CASE WHEN ${a} THEN ${b} END`),
          weight: 2,
        },
        { arbitrary: tie("select").map((sql) => `(${sql} LIMIT 1)`), weight: 1 },
        { arbitrary: odd, weight: 1 },
      ),
      condition: fc.oneof(
        { maxDepth: 2, depthSize: "small" },
        {
          arbitrary: fc
            .tuple(column, pick("IS NOT NULL", "IS NULL", "= Naam", "IS DISTINCT FROM 1"))
            .map((p) => p.join(" ")),
          weight: 5,
        },
        good(4, "true", "Unieknr < 2", "Geslacht = 'V'", "Naam LIKE 'Z%'", "Unieknr = 999"),
        good(1, "bsn LIKE 'C%'", "1 = 1 OR bsn = ''", "Unieknr = $1"),
        { arbitrary: tie("select").map((sql) => `EXISTS (${sql})`), weight: 1 },
        { arbitrary: fc.tuple(column, tie("select")).map(([of, sql]) => `${of} IN (${sql})`), weight: 1 },
        {
          arbitrary: fc
            .tuple(tie("condition"), pick("AND", "OR"), tie("condition"))
            .map((parts) => `(${parts.join(" ")})`),
          weight: 1,
        },
      ),
    };
  },
);

export const arbitrarySql: fc.Arbitrary<string> = query;
