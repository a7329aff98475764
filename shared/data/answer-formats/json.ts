/** A table as the members of a JSON object, its rows written as they come. */
import { columnsJson, jsonCell } from "../table-json.ts";
import type { TableSource } from "../table-source.ts";
import { rowTexts } from "./row-text.ts";

/** `"columns":[…],"rows":[…]`, `remarks` where there are any, and `rowCount`; values as `jsonCell` gives them. */
export async function* jsonTableTexts(source: TableSource): AsyncGenerator<string> {
  const { specs, notes, rows } = source;
  yield `"columns":${JSON.stringify(columnsJson(specs))},"rows":[`;
  yield* rowTexts(source, {
    leads: specs.map((_, i) => (i === 0 ? "[" : ",")),
    end: "]",
    between: ",",
    cell: (cell, spec) => JSON.stringify(jsonCell(cell, spec)),
  });
  const remarks =
    notes.remarks === undefined || notes.remarks.length === 0 ? "" : `,"remarks":${JSON.stringify(notes.remarks)}`;
  yield `]${remarks},"rowCount":${rows}`;
}
