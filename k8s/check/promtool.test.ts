/** The rules and expressions before Prometheus' own reader, where it is: docs/kubernetes.md says how to get it. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTool } from "../../shared/testing/find-tool.ts";
import type { Manifest } from "./manifest.ts";
import { expressionsOf } from "./metrics.ts";
import { render } from "./render.ts";

const promtool = findTool("promtool");
if (promtool === undefined) process.stderr.write("SKIPPED: promtool is not here, Prometheus reads no rule\n");

describe.skipIf(promtool === undefined)("Prometheus", () => {
  let folder: string;
  let manifests: readonly Manifest[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dynamos-rules-"));
    manifests = await render(resolve(import.meta.dirname, "../monitoring"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** @param content as a file of rules has it; JSON is YAML */
  async function check(content: unknown) {
    const file = join(folder, "rules.json");
    await writeFile(file, JSON.stringify(content));
    const { status, stdout, stderr } = spawnSync(promtool ?? "", ["check", "rules", "--lint-fatal", file], {
      encoding: "utf8",
      timeout: 25_000,
    });
    return { status, written: `${stdout}${stderr}` };
  }

  const rules = () => manifests.filter(({ kind }) => kind === "PrometheusRule").map(({ spec }) => spec);

  it("takes each rule: its expression, its times and the templates of its texts", async () => {
    expect(rules().length).toBeGreaterThan(0);
    for (const spec of rules()) {
      expect(await check(spec)).toEqual({ status: 0, written: expect.stringMatching(/SUCCESS: [1-9]\d* rules found/) });
    }
  });

  it("reads each expression of the dashboard and of the autoscaler's metrics", async () => {
    const expressions = [...new Set(manifests.flatMap(expressionsOf))];
    expect(expressions.length).toBeGreaterThan(20);
    const named = expressions.map((expression, index) => ({
      record: `expression_${index}`,
      // As the adapter of Prometheus fills it in.
      expr: expression.replaceAll("<<.LabelMatchers>>", 'namespace="dynamos"'),
    }));
    expect(await check({ groups: [{ name: "expressions", rules: named }] })).toEqual({
      status: 0,
      written: expect.stringContaining(`SUCCESS: ${expressions.length} rules found`),
    });
  });

  it.each([
    ["an expression that ends too early", '"expr":"', '"expr":"(', /could not parse expression/],
    ["a time of no unit", '"for":"5m"', '"for":"5"', /not a valid duration/],
    ["a template that ends too early", "$labels.queue }}", "$labels.queue }", /parse|unexpected/],
  ])("refuses %s", async (_, from, to, why) => {
    const text = JSON.stringify(rules()[0]);
    expect(text).toContain(from);
    expect(await check(JSON.parse(text.replace(from, to)))).toEqual({ status: 1, written: expect.stringMatching(why) });
  });
});
