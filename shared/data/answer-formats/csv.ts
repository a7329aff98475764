/**
 * CSV as RFC 4180 has it: a header, CRLF, quotes where they are needed, UTF-8 without a mark. Null is
 * an empty field and the empty text is `""`. Texts are as they are in the data, also those that a
 * spreadsheet would take for a formula: see docs/answers.md.
 */
import { cellText } from "../cell-text.ts";
import type { Cell, ColumnSpec } from "../column-kind.ts";
import { rowTexts } from "./row-text.ts";
import { partyColumn, type UnitedTables } from "./united-tables.ts";

const lineEnd = "\r\n";

export async function* csvTexts({ specs, parts, named }: UnitedTables): AsyncGenerator<string> {
  const names = [...(named ? [partyColumn] : []), ...specs.map(({ name }) => name)];
  yield names.map(textField).join(",") + lineEnd;
  // The row of one null would be an empty line, which many readers skip.
  const nothing = names.length === 1 ? '""' : "";
  for (const { party, source } of parts) {
    const start = named ? `${textField(party)},` : "";
    yield* rowTexts(source, {
      leads: specs.map((_, i) => (i === 0 ? start : ",")),
      end: lineEnd,
      between: "",
      cell: (cell, spec) => (cell === null ? nothing : field(cell, spec)),
    });
  }
}

function field(cell: Exclude<Cell, null>, spec: ColumnSpec): string {
  // Of the other kinds none holds a comma, a quote or a line end.
  return spec.kind === "text" ? textField(cell as string) : cellText(cell, spec);
}

function textField(text: string): string {
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
