import { expect, it } from "vitest";
import { withCrossJoins } from "./cross-join.ts";

it.each([
  ["SELECT * FROM a JOIN b LIMIT 3", "SELECT * FROM a CROSS JOIN b LIMIT 3"],
  ["SELECT * FROM a inner join b WHERE a.x = b.x", "SELECT * FROM a CROSS JOIN b WHERE a.x = b.x"],
  ["SELECT * FROM a JOIN b JOIN c ON b.x = c.x", "SELECT * FROM a CROSS JOIN b JOIN c ON b.x = c.x"],
  [
    "SELECT * FROM (SELECT * FROM a JOIN b) t JOIN c ON t.x = c.x",
    "SELECT * FROM (SELECT * FROM a CROSS JOIN b) t JOIN c ON t.x = c.x",
  ],
  ["SELECT 'JOIN' FROM a JOIN b -- JOIN\nLIMIT 1", "SELECT 'JOIN' FROM a CROSS JOIN b -- JOIN\nLIMIT 1"],
  ['SELECT "JOIN" FROM a JOIN b', 'SELECT "JOIN" FROM a CROSS JOIN b'],
  [
    "SELECT * FROM a JOIN b UNION SELECT * FROM c JOIN d USING (x)",
    "SELECT * FROM a CROSS JOIN b UNION SELECT * FROM c JOIN d USING (x)",
  ],
])("reads %s as %s", (sql, expected) => {
  expect(withCrossJoins(sql)).toBe(expected);
});

it.each([
  "SELECT * FROM a JOIN b ON a.x = b.x",
  "SELECT * FROM a JOIN b USING (x)",
  "SELECT * FROM a JOIN b JOIN c ON b.x = c.x ON a.x = b.x",
  "SELECT * FROM a LEFT JOIN b",
  "SELECT * FROM a NATURAL JOIN b",
  "SELECT * FROM a CROSS JOIN b",
  "SELECT 'a JOIN b'",
])("leaves %s as it is", (sql) => {
  expect(withCrossJoins(sql)).toBe(sql);
});
