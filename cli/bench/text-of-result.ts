/** A bench's data as text for a terminal. */
import { textTable } from "../print/text-table.ts";
import { type BenchResult, cellText } from "./bench-result.ts";

export function textOfResult({ title, tables, remarks, limit, wrong }: BenchResult): string {
  const parts = tables.map((table) => {
    const isNumber = table.columns.map((_, at) => table.rows.some((row) => typeof row[at] === "number"));
    const columns = table.columns.map((name, at) => ({ name, type: isNumber[at] ? "double" : "text" }));
    const rows = table.rows.map((row) => row.map(cellText));
    const text = textTable({ columns, rows }, { rowsMax: rows.length });
    return table.title === "" ? text : `${table.title}\n\n${text}`;
  });
  const head = `${title}\n${"═".repeat(title.length)}`;
  const last = wrong === 0 ? [] : [`${wrong} answers were wrong: the figures of those ways don't count`];
  return [head, ...parts, ...remarks, `What limits it: ${limit}`, ...last].join("\n\n");
}
