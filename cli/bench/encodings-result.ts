/** What the encodings have shown, as data. */
import type { BenchResult, Cell } from "./bench-result.ts";

/** What the original DYNAMOS sends. */
export const structName = "protobuf Struct";

/** @param lines rows, encoding, write ms, read ms, MiB, times typed; the largest size last */
export function encodingsResult(lines: readonly Cell[][], wrong: number): BenchResult {
  const largest = lines.at(-1)?.[0] ?? null;
  const timesOf = (name: string) => Number(lines.find((line) => line[0] === largest && line[1] === name)?.[5]);
  const series = [...new Set(lines.map((line) => String(line[1])))].map((name) => ({
    name,
    points: lines
      .filter((line) => line[1] === name)
      .map(([size = 0, , write, read]) => ({ x: Number(size), y: Number(write) + Number(read) })),
  }));
  return {
    title: "Encodings of a table",
    about:
      "The same cells written and read to the last one, in each round by all ways. Typed: from the engine's vectors, texts as bytes, as the steps do it; the others from rows, every text a string. Struct by column is what the original DYNAMOS sends.",
    limit: "Typed columns: the copy of their bytes. The others: an object for each cell, and its text.",
    wrong,
    remarks: [],
    figures: { "Struct : columnar, write and read": timesOf(structName) },
    tables: [{ title: "", columns: ["rows", "encoding", "write ms", "read ms", "MiB", "times typed"], rows: lines }],
    plots: [
      {
        name: "encodings",
        title: "Writing and reading a table",
        kind: "lines",
        x: "rows",
        y: "ms",
        logX: true,
        logY: true,
        whiskers: "",
        series,
      },
    ],
  };
}
