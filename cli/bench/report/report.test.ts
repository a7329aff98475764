import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { BenchPlot, BenchResult } from "../bench-result.ts";
import { judgedGoals } from "./goals.ts";
import { type Part, reportOf } from "./page.ts";
import { plotSvg } from "./plot-svg.ts";
import { writeReport } from "./write-report.ts";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const machine = { processor: "CPU", processors: 2, memoryGib: 24, kernel: "6.1", node: "20.0.0", rabbitmq: "3.10.8" };
const quiet = { load: 0.1, waiting: 0, loopMs: 25, loopSpread: 0.01 };
const plot: BenchPlot = {
  name: "latency",
  title: 'Latency <of> "this" & that',
  kind: "bars",
  x: "way",
  y: "p50, ms",
  logY: true,
  whiskers: "up to p95",
  series: [
    {
      name: "p50",
      points: [
        { x: "a|b", y: 0.5, high: 2 },
        { x: "c", y: 1_000, high: 5_000 },
      ],
    },
  ],
};
const result: BenchResult = {
  title: "One invocation",
  about: "What was done.",
  limit: "The processor.",
  tables: [
    {
      title: "Times",
      columns: ["way", "p50 ms"],
      rows: [
        ["a|b", 0.512],
        ["c", 12_345.6],
        ["d", null],
      ],
    },
  ],
  plots: [plot],
  wrong: 0,
  remarks: ["SKIPPED: something"],
  figures: { "fork pool : spawn cold, invocations/s": 9, "fork pool : reused, p50": 4 },
};

function partOf(changes: Partial<Part>): Part {
  const startedAt = "2026-01-02T03:04:05.000Z";
  return { name: "invocation", startedAt, seconds: 60, quick: false, before: quiet, after: quiet, ...changes };
}

test("writes tables, pictures, remarks and the limit of a part where the template names it", () => {
  const { page, pictures } = reportOf([partOf({ result })], machine, "# Title\n\n{{machine}}\n\n{{part invocation}}\n");
  expect(page).toContain("CPU, 2 processors, 24 GiB, Linux 6.1, Node 20.0.0, RabbitMQ 3.10.8 on the same machine.");
  expect(page).toContain("| way | p50 ms |\n|---|---:|\n| a\\|b | 0.51 |\n| c | 12,346 |\n| d | – |");
  expect(page).toContain("](performance/latency.svg)");
  expect(page).toContain("- SKIPPED: something\n\nWhat limits it: The processor.");
  expect(Object.keys(pictures)).toEqual(["latency.svg"]);
});

test("names a part that failed, and one that nobody has measured", () => {
  const failed = partOf({ name: "query", failure: "no broker" });
  const { page } = reportOf([failed], machine, "{{part query}}\n\n{{part rows}}");
  expect(page).toBe("**Failed**: no broker\n\nNot measured in this run.\n");
});

test("adds what the template does not name at its end", () => {
  const { page } = reportOf([partOf({ name: "path", text: "hop  ms" })], machine, "# Title");
  expect(page).toBe("# Title\n\n## path\n\n```\nhop  ms\n```\n");
});

test("says of wrong answers and of a quick run that the figures do not count", () => {
  const { page } = reportOf(
    [partOf({ result: { ...result, wrong: 3 }, quick: true })],
    machine,
    "{{machine}} {{part invocation}}",
  );
  expect(page).toContain("**3 answers were wrong**");
  expect(page).toContain("**A quick run**");
});

test("shows how busy the machine was before and after each part", () => {
  const busy = { ...quiet, load: 8, waiting: 0.5 };
  const { page } = reportOf([partOf({ before: busy })], machine, "{{noise}} {{part invocation}}");
  expect(page).toContain(
    "| invocation | 1.0 | 8.0, 0.1 | 50 %, 0 % | 25.0, 25.0 | 1 %, 1 % | not quiet at its start |",
  );
});

test("judges each goal by the run's own figures", () => {
  const judged = judgedGoals({ invocation: result.figures });
  expect(judged[0]).toMatchObject({ seen: "9 times", verdict: "reached" });
  expect(judged[1]).toMatchObject({ seen: "4 times", verdict: "not reached" });
  expect(judged[2]).toMatchObject({ seen: "–", verdict: "not measured" });
});

test.each<[string, BenchPlot]>([
  ["bars", plot],
  [
    "lines",
    {
      ...plot,
      kind: "lines",
      logX: true,
      series: [{ name: "p50", points: [10, 100].map((x) => ({ x, y: x / 3, low: 1, high: 50 })) }],
    },
  ],
  ["one point", { ...plot, kind: "lines", series: [{ name: "p50", points: [{ x: 1, y: 5 }] }] }],
  ["no points", { ...plot, series: [] }],
  ["a figure that is missing", { ...plot, series: [{ name: "p50", points: [{ x: "a", y: Number.NaN }] }] }],
])("draws %s as well-formed SVG without a coordinate that is no number", (_, drawn) => {
  const svg = plotSvg(drawn);
  expect(unclosed(svg)).toEqual([]);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  expect(svg).toContain("Latency &lt;of&gt; &quot;this&quot; &amp; that");
});

test("draws each whisker as far as its figure says", () => {
  const bars = plotSvg({ ...plot, logY: false, series: [{ name: "p50", points: [{ x: "a", y: 50, high: 100 }] }] });
  const [, top] = /class="whisker" d="M[\d.]+ ([\d.]+)V/.exec(bars) ?? [];
  const [, gridTop] = /<line class="grid"[^>]* y1="([\d.]+)"[^>]*\/>\n<text[^>]*>100</.exec(bars) ?? [];
  expect(Number(top)).toBeCloseTo(Number(gridTop));
});

test("measures on after a part that fails, and names those that failed or answered wrongly", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-report-"));
  folders.push(folder);
  const said: string[] = [];
  const parts = {
    fails: () => Promise.reject(new Error("no such way\nwith a stack")),
    lies: () => ({ ...result, wrong: 1 }),
    holds: (say: (line: string) => void) => say("a table"),
    counts: () => 2,
  };
  const options = { parts, folder, quick: true, keepsOthers: false, kept: join(folder, "kept"), look: () => quiet };
  const bad = await writeReport(options, (line) => said.push(line));
  expect(bad).toEqual(["fails", "lies", "counts"]);
  const page = await readFile(join(folder, "performance.md"), "utf8");
  expect(page).toContain("**Failed**: no such way\n");
  expect(page).toContain("a table");
  expect(await readdir(join(folder, "performance"))).toEqual(["latency.svg"]);
  expect(said).toContain("part 3 of 4: holds");
});

/** Elements that are not closed in their order; attributes must be quoted. */
function unclosed(svg: string): string[] {
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?: [a-zA-Z][a-zA-Z0-9-]*="[^"<]*")*)(\/?)>/g,
    (_, closing, name, __, single) => {
      if (closing !== "") return open.pop() === name ? "" : `<wrong end of ${name}>`;
      if (single === "") open.push(name);
      return "";
    },
  );
  return [...open, ...(rest.match(/[<>]/g) ?? []), ...(rest.match(/&(?!(amp|lt|gt|quot|#39);)/g) ?? [])];
}
