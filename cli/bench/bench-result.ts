/** What a bench returns: plain data, from which both the text and the page are made. */

/** null: not measured. */
export type Cell = string | number | null;

export interface BenchTable {
  readonly title: string;
  /** With their units: `p50 ms`. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface PlotPoint {
  /** A text in a plot of bars. */
  readonly x: number | string;
  readonly y: number;
  /** End of the whisker: the p95, or the highest round. */
  readonly high?: number | undefined;
  readonly low?: number | undefined;
}

export interface BenchPlot {
  /** File name without its ending. */
  readonly name: string;
  readonly title: string;
  readonly kind: "bars" | "lines";
  /** With unit. */
  readonly x: string;
  readonly y: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
  /** What the whiskers are; empty: there are none. */
  readonly whiskers: string;
  readonly series: readonly { readonly name: string; readonly points: readonly PlotPoint[] }[];
}

export interface BenchResult {
  readonly title: string;
  /** What was done, for the page: sentences. */
  readonly about: string;
  /** What limits these figures. */
  readonly limit: string;
  readonly tables: readonly BenchTable[];
  readonly plots: readonly BenchPlot[];
  /** Answers that were not as they should be: a way that answers wrongly is not fast. */
  readonly wrong: number;
  /** What was left out, and why: `SKIPPED: …`. */
  readonly remarks: readonly string[];
  /** By name, for the goals. */
  readonly figures: Readonly<Record<string, number>>;
}

export function isBenchResult(value: unknown): value is BenchResult {
  return typeof value === "object" && value !== null && "tables" in value && "figures" in value;
}

/** Three digits that count, thousands apart. */
export function cellText(cell: Cell): string {
  if (cell === null || (typeof cell === "number" && Number.isNaN(cell))) return "–";
  if (typeof cell === "string") return cell;
  if (Number.isInteger(cell) || Math.abs(cell) >= 100) return Math.round(cell).toLocaleString("en");
  return cell.toFixed(Math.abs(cell) >= 10 ? 1 : 2);
}
