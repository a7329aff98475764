/** Columns and rows as aligned text. */

export interface TextTable {
  readonly columns: readonly { readonly name: string; readonly type?: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

export interface TextTableOptions {
  /** Before each line. */
  readonly indent?: string;
  readonly rowsMax?: number;
  readonly cellCharsMax?: number;
}

const numeric = /^(u?int\d*|integer|decimal|double|float)/i;

/** Numbers to the right, text to the left, `null` as a dash; at most 20 rows as a rule, with a line that counts the rest. */
export function textTable({ columns, rows }: TextTable, options: TextTableOptions = {}): string {
  const { indent = "", rowsMax = 20, cellCharsMax = 40 } = options;
  const shown = rows.slice(0, rowsMax).map((row) => columns.map((_, i) => cell(row[i], cellCharsMax)));
  const widths = columns.map(({ name }, i) => Math.max(width(name), ...shown.map((row) => width(row[i] ?? ""))));
  const isNumber = columns.map(({ type }) => numeric.test(type ?? ""));
  const line = (cells: readonly string[]) =>
    indent +
    cells
      .map((text, i) => pad(text, widths[i] ?? 0, isNumber[i] ?? false))
      .join("  ")
      .trimEnd();
  const rest = rows.length - shown.length;
  return [
    line(columns.map(({ name }) => name)),
    line(widths.map((length) => "─".repeat(length))),
    ...shown.map(line),
    ...(rest > 0 ? [`${indent}… and ${rest.toLocaleString("en")} more rows`] : []),
  ].join("\n");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal.
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/g;

function cell(value: unknown, cellCharsMax: number): string {
  if (value === null || value === undefined) return "–";
  const text = typeof value === "number" ? numberText(value) : String(value).replace(controlCharacters, " ");
  return width(text) > cellCharsMax ? `${[...text].slice(0, cellCharsMax - 1).join("")}…` : text;
}

/** As many decimals as a person reads; the JSON has them all. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toFixed(4)));
}

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, length: number, toTheRight: boolean): string {
  const space = " ".repeat(Math.max(0, length - width(text)));
  return toTheRight ? space + text : text + space;
}
