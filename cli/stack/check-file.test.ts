/** The project's own stack.yml with one thing wrong: each is found, and named with its path. */
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addStackCommand } from "../commands/stack.ts";
import { checkStackFile } from "./check-file.ts";
import { knownEnvironment } from "./known-names.ts";

const checkout = resolve(import.meta.dirname, "../..");
let home: string;
let original: string;

/** A checkout around the file: faas-cli and the check look for folders beside it. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "dynamos-stack-"));
  for (const name of ["functions", "templates", "docs", "shared", "cli"]) {
    await symlink(join(checkout, name), join(home, name));
  }
  await symlink("templates", join(home, "template"));
  original = await readFile(join(checkout, "stack.yml"), "utf8");
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** @param change of the text; the first place that fits */
async function faultsAfter(from: string, to: string): Promise<readonly string[]> {
  expect(original).toContain(from);
  const file = join(home, "stack.yml");
  await writeFile(file, original.replace(from, to));
  return (await checkStackFile(file, {})).faults;
}

it("finds nothing wrong with the project's stack.yml", async () => {
  expect((await checkStackFile(join(checkout, "stack.yml"), {})).faults).toEqual([]);
});

describe("a misspelt key is found at every level:", () => {
  it.each([
    ["the file", "version: 1.0", "verison: 1.0", "unknown key verison; did you mean version?"],
    ["provider", "  gateway: http", "  gatway: http", "provider: unknown key gatway; did you mean gateway?"],
    ["configuration", "  copy:\n", "  cpoy:\n", "configuration: unknown key cpoy; did you mean copy?"],
    [
      "configuration.templates",
      "  copy:\n",
      "  templates: [{name: a, sorce: b}]\n  copy:\n",
      "configuration.templates[0]: unknown key sorce; did you mean source?",
    ],
    [
      "a function",
      "readonly_root_filesystem: true",
      "read_only_root_filesystem: true",
      "functions.orchestrator: unknown key read_only_root_filesystem; did you mean readonly_root_filesystem?",
    ],
    [
      "environment",
      "exec_timeout: 125s",
      "exec_timout: 125s",
      "functions.orchestrator.environment: unknown key exec_timout; did you mean exec_timeout?",
    ],
    [
      "environment, in capitals",
      'pool_size: "1"',
      'POOL_SIZE: "1"',
      "functions.agreement-check.environment: unknown key POOL_SIZE; did you mean pool_size?",
    ],
    [
      "annotations",
      "topic: uva.sql-query",
      "topci: uva.sql-query",
      "functions.uva-sql-query.annotations: unknown key topci; did you mean topic?",
    ],
    [
      "our annotations",
      "com.dynamos.concurrency",
      "com.dynamos.concurency",
      "functions.policy-enforcer.annotations: unknown key com.dynamos.concurency; did you mean com.dynamos.concurrency?",
    ],
    [
      "labels",
      "    annotations:\n",
      '    labels: {com.openfaas.scale.mim: "1"}\n    annotations:\n',
      "functions.orchestrator.labels: unknown key com.openfaas.scale.mim; did you mean com.openfaas.scale.min?",
    ],
    [
      "limits",
      "      memory: 512Mi",
      "      memmory: 512Mi",
      "functions.orchestrator.limits: unknown key memmory; did you mean memory?",
    ],
    [
      "requests",
      "      cpu: 50m",
      "      cpus: 50m",
      "functions.orchestrator.requests: unknown key cpus; did you mean cpu?",
    ],
    [
      "a secret",
      "      - approval-key\n",
      "      - aproval-key\n",
      "functions.policy-enforcer.secrets: no page of docs/ tells how to make aproval-key; did you mean approval-key?",
    ],
    [
      "a template",
      "lang: node18-single-use",
      "lang: node18-singel-use",
      "functions.orchestrator.lang: there is no template/node18-singel-use/template.yml; did you mean node18-single-use?",
    ],
  ])("%s", async (_, from, to, fault) => {
    expect(await faultsAfter(from, to)).toContain(fault);
  });
});

describe("what has its form and can't work is found too:", () => {
  it.each([
    [
      "a handler that is not there",
      "handler: ./functions/sql-graph",
      "handler: ./functions/sql-grpah",
      "functions.uva-sql-graph.handler: there is no folder ./functions/sql-grpah",
    ],
    [
      "a handler that is a file",
      "handler: ./functions/sql-graph",
      "handler: ./functions/sql-graph/handler.ts",
      "functions.uva-sql-graph.handler: there is no folder ./functions/sql-graph/handler.ts",
    ],
    [
      "a duration without a unit that Go knows",
      "exec_timeout: 125s",
      "exec_timeout: 125sec",
      'functions.orchestrator.environment.exec_timeout: "125sec" is not a duration like 30s or 1m30s',
    ],
    [
      "a connection cut before its call may end",
      "write_timeout: 130s",
      "write_timeout: 2m",
      "functions.orchestrator.environment.write_timeout: must not be shorter than exec_timeout",
    ],
    [
      "workers that need more than the limit",
      "      memory: 3Gi",
      "      memory: 3000Mi",
      "functions.uva-sql-query.limits.memory: 3000Mi is less than its workers may take: (pool_size + concurrency) × memory_mb = 6 × 512 MiB",
    ],
    [
      "more asked for than allowed",
      "      memory: 128Mi",
      "      memory: 1Gi",
      "functions.orchestrator.requests.memory: 1Gi is more than the limit 512Mi",
    ],
    [
      "more processor asked for than allowed",
      "      cpu: 50m",
      "      cpu: 1500m",
      "functions.orchestrator.requests.cpu: 1500m is more than the limit 1",
    ],
    [
      "two words on concurrency",
      'com.dynamos.concurrency: "2"',
      'com.dynamos.concurrency: "3"',
      "functions.agreement-check: annotation com.dynamos.concurrency (3) and environment concurrency (2) must agree",
    ],
    [
      "steps that only the sidecar believes fused",
      'com.dynamos.concurrency: "2"',
      'com.dynamos.concurrency: "2"\n      com.dynamos.fuse: sql-graph',
      "functions.agreement-check: annotation com.dynamos.fuse (sql-graph) and environment fuse (absent) must agree",
    ],
    [
      "another party's topic",
      "topic: vu.sql-query",
      "topic: uva.sql-querys",
      "functions.vu-sql-query.annotations.topic: uva.sql-querys must be vu. and the step's name",
    ],
    [
      "a topic twice",
      "topic: uva.sql-graph",
      "topic: uva.sql-query",
      "functions.uva-sql-graph.annotations.topic: uva.sql-query is served by uva-sql-query already",
    ],
    [
      "a name that no wildcard of its party fits",
      "  vu-sql-query:",
      "  sql-query-vu:",
      "functions.sql-query-vu: a function of VU has a name that begins with vu-",
    ],
    [
      "a label of 64 characters",
      "    annotations:\n",
      `    labels: {team: ${"x".repeat(64)}}\n    annotations:\n`,
      "functions.orchestrator.labels.team: must NOT have more than 63 characters",
    ],
    [
      "a label's name of 64 characters",
      "    annotations:\n",
      `    labels: {${"x".repeat(64)}: a}\n    annotations:\n`,
      `functions.orchestrator.labels: "${"x".repeat(64)}" is no key of Kubernetes: at most 63 letters, digits, -, _ and .`,
    ],
    [
      "a quantity with a wrong unit",
      "      memory: 512Mi",
      "      memory: 512MB",
      'functions.orchestrator.limits.memory: "512MB" does not have the form of this setting',
    ],
    ["a block after functions", "configuration:\n", "x:\n", "unknown key x"],
  ])("%s", async (_, from, to, fault) => {
    expect(await faultsAfter(from, to)).toContain(fault);
  });

  it("a block after functions, where faas-cli new --append writes", async () => {
    const [before = "", block = ""] =
      /^([\s\S]*?)(configuration:\n[\s\S]*?)functions:\n/.exec(original)?.slice(1) ?? [];
    const file = join(home, "stack.yml");
    await writeFile(file, `${before}${original.slice(before.length + block.length)}\n${block}`);
    expect((await checkStackFile(file, {})).faults).toEqual([
      "configuration: must stand before functions, which is the last block",
    ]);
  });
});

describe("the command and the stage of CI", () => {
  async function checked(...words: string[]): Promise<string> {
    let written = "";
    const program = new Command("dynamos");
    addStackCommand(program, (text) => (written += text));
    await program.parseAsync(["stack", ...words], { from: "user" });
    return written;
  }

  it("say what is wrong, all of it, and fail", async () => {
    await faultsAfter("exec_timeout: 125s", "exec_timout: 125s");
    const file = join(home, "stack.yml");
    const misspelling = "functions.orchestrator.environment: unknown key exec_timout; did you mean exec_timeout?";
    await expect(checked("check", "-f", file)).rejects.toThrow(misspelling);
    const stage = spawnSync(
      process.execPath,
      ["--import", import.meta.resolve("tsx"), join(checkout, ".config/check-stack.ts")],
      { cwd: home, encoding: "utf8" },
    );
    expect([stage.status, stage.stdout, stage.stderr]).toEqual([1, "", `stack.yml: ${misspelling}\n`]);
  });

  it("say that nothing is wrong, and whose part is which", async () => {
    expect(await checked("check", "-f", join(checkout, "stack.yml"))).toMatch(
      /stack\.yml: \d+ functions, nothing is wrong/,
    );
    expect(await checked("parts")).toContain('UVA               4  --filter "uva-*"');
  });

  it("name a file that is not there", async () => {
    await expect(checked("check", "-f", join(home, "absent.yml"))).rejects.toThrow(
      "absent.yml: can't be read (ENOENT)",
    );
  });
});

it("knows every variable that a function of ours reads", () => {
  const read = spawnSync(
    "grep",
    [
      "-rhoE",
      String.raw`\benvironment\.[A-Za-z_]+|(number|countOf|oneOf|named)\((environment, )?"[A-Za-z_]+"`,
      "functions",
      "shared/runtime",
      "--include=*.ts",
      "--exclude=*.test.ts",
      "--exclude-dir=testing-steps",
    ],
    { cwd: checkout, encoding: "utf8" },
  ).stdout;
  const names = [...read.matchAll(/environment\.([A-Za-z_]+)|"([A-Za-z_]+)"/g)].map(([, a, b]) => a ?? b ?? "");
  expect(names.length).toBeGreaterThan(15);
  // `environment.ts` is a file's name.
  const unknown = [...new Set(names)].filter((name) => name !== "ts" && !knownEnvironment.includes(name));
  expect(unknown).toEqual([]);
});
