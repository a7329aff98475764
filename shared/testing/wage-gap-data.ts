/** The public data of the wage-gap example, the original's query over it, and the numbers that it gives. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const home = resolve(import.meta.dirname, "../..");

/** Folder with the public files. */
export const wageGapData = join(process.env.DYNAMOS_SHARED ?? join(home, "../shared"), "datasets/wage-gap");

/** Says on standard error when it is not so: what is skipped is seen. */
export function hasWageGapData(): boolean {
  const isThere = existsSync(wageGapData);
  if (!isThere) {
    process.stderr.write(`SKIPPED: the public data is not in ${wageGapData}, the golden numbers are not checked\n`);
  }
  return isThere;
}

const joined = "FROM Personen p JOIN Aanstellingen s ON p.Unieknr = s.Unieknr";
export const q1 = `SELECT p.Geslacht, s.Salschal ${joined}`;
export const q4 = `SELECT DISTINCT p.Unieknr, p.Geslacht, p.Gebdat, s.Aanst_22, s.Functcat, s.Salschal ${joined} LIMIT 30000`;

/** Rows (M, V) and mean salary scale (M, V), recomputed from the public files with SQLite. */
export const golden = {
  Q1: {
    UVA: [15_514, 20_045, 11.877, 10.597],
    VU: [27_571, 28_912, 10.955, 9.657],
    SURF: [43_085, 48_957, 11.287, 10.042],
  },
  Q4: {
    UVA: [10_869, 14_294, 11.824, 10.823],
    VU: [3_946, 4_258, 11.051, 9.914],
    SURF: [14_815, 18_552, 11.618, 10.614],
  },
} as const;

export interface ResultJson {
  readonly party: string;
  readonly columns: readonly { readonly name: string }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
  readonly chart?: { readonly svg: string };
  readonly document?: { readonly content: unknown };
}

interface Answered {
  readonly body: Readonly<Record<string, unknown>>;
}

export const resultsOf = ({ body }: Answered) => body.results as ResultJson[];

/** `[count M, count V, mean M, mean V]` of the averages by gender. */
export function numbersOf({ columns, rows }: ResultJson): number[] {
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const row = (gender: string) => rows.find((one) => one[at("Geslacht")] === gender) ?? [];
  const mean = (gender: string) => Math.round(Number(row(gender)[at("average")]) * 1_000) / 1_000;
  return [Number(row("M")[at("count")]), Number(row("V")[at("count")]), mean("M"), mean("V")];
}

/** The same, by the party that computed them. */
export function numbersByParty(answer: Answered): Record<string, number[]> {
  return Object.fromEntries(resultsOf(answer).map((result) => [result.party, numbersOf(result)]));
}
