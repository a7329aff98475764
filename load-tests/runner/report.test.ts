import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMetrics } from "./metrics.ts";
import { pointLines } from "./points.ts";
import { readPoints } from "./read-points.ts";
import { writeReport } from "./report.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-report-"));
});
afterAll(() => rm(folder, { recursive: true }));

function runOf(answered: readonly number[]) {
  const metrics = createMetrics();
  metrics.declare("query_answered_ms", "trend");
  metrics.declare("query_shed", "rate");
  for (const [i, value] of answered.entries()) {
    metrics.add("query_answered_ms", { value, atMs: 1_000 * i, tags: { scenario: "<a>" } });
  }
  metrics.add("query_shed", { value: 1, atMs: 500, tags: {} });
  return metrics;
}

describe("a report", () => {
  it("reads again what was written, sample by sample", async () => {
    const file = join(folder, "run.json");
    await writeFile(file, [...pointLines(runOf([12.5, 30]))].join(""));
    expect(await readPoints(file)).toEqual([
      { metric: "query_answered_ms", value: 12.5, atMs: 0, tags: { scenario: "<a>" } },
      { metric: "query_answered_ms", value: 30, atMs: 1_000, tags: { scenario: "<a>" } },
      { metric: "query_shed", value: 1, atMs: 500, tags: {} },
    ]);
  });

  it("shows each run with its counts and one dot for each answer", async () => {
    const file = join(folder, "<run>.json");
    await writeFile(file, [...pointLines(runOf([10, 20, 3_000]))].join(""));
    await writeReport([file], join(folder, "report.html"));
    const page = await readFile(join(folder, "report.html"), "utf8");
    expect(page).toContain("3 right, 1 refused early, 0 wrong. Answered in 20 ms (p50), 3000 ms (p95)");
    expect(page.match(/<circle/g)).toHaveLength(3);
    expect(page).not.toContain("<run>");
    expect(page).not.toContain("NaN");
  });

  it.each([
    ["{", "line 1: is no line of k6's JSON output"],
    ['{"type":"Point","metric":"a","data":{"time":"never","value":1}}', "line 1: is neither a metric nor a point"],
    ['{"type":"Metric","metric":"a"}', "there is no query in it"],
    ["null", "line 1: is neither"],
  ])("refuses %s", async (text, message) => {
    const file = join(folder, "bad.json");
    await writeFile(file, text);
    await expect(writeReport([file], join(folder, "bad.html"))).rejects.toThrow(message);
  });
});
