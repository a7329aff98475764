/** One JSON object a row and line: `application/x-ndjson`. Values as in the JSON answer. */
import { jsonCell } from "../table-json.ts";
import { rowTexts } from "./row-text.ts";
import { partyColumn, type UnitedTables } from "./united-tables.ts";

export async function* ndjsonTexts({ specs, parts, named }: UnitedTables): AsyncGenerator<string> {
  const keys = specs.map(({ name }) => `${JSON.stringify(name)}:`);
  for (const { party, source } of parts) {
    const start = named ? `{"${partyColumn}":${JSON.stringify(party)},` : "{";
    yield* rowTexts(source, {
      leads: keys.map((key, i) => (i === 0 ? start : ",") + key),
      end: "}\n",
      between: "",
      cell: (cell, spec) => JSON.stringify(jsonCell(cell, spec)),
    });
  }
}
