import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { checkImportLaw, ruleNames } from "../../.config/import-law.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const packages = ["amqplib", "@grpc/grpc-js", "ajv", "hono"];

/** A small tree that keeps the law: who imports what. Each file exports something. */
const lawful: Readonly<Record<string, readonly string[]>> = {
  "shared/contracts/index.ts": [],
  "shared/contracts/compile-schemas.ts": ["ajv"],
  "shared/errors/index.ts": ["#contracts"],
  "shared/domain/limits.ts": [],
  "shared/domain/policy.ts": ["#contracts", "#errors", "./limits.ts"],
  "shared/ports/broker.ts": ["#contracts"],
  "shared/approval/verify.ts": ["#errors", "#domain/policy"],
  "shared/data/session.ts": ["#errors", "#domain/limits"],
  "shared/runtime/define-step.ts": ["#contracts", "#ports/broker"],
  "shared/sidecar/client.ts": ["#ports/broker", "@grpc/grpc-js"],
  "shared/sidecar/deliver.ts": ["#domain/policy", "#ports/broker", "#approval/verify"],
  "shared/adapters/amqp/broker.ts": ["#ports/broker", "#domain/limits", "amqplib"],
  "shared/adapters/memory/broker.ts": ["#ports/broker", "#adapters/system/clock", "#runtime/define-step"],
  "shared/adapters/system/clock.ts": [],
  "shared/adapters/prometheus/metrics.ts": ["#ports/broker"],
  "shared/testing/world.ts": ["#adapters/memory/broker"],
  "shared/sidecar/deliver.test.ts": ["#testing/world", "#adapters/memory/broker"],
  "functions/orchestrator/handler.ts": ["#sidecar/client", "#ports/broker", "hono"],
  "functions/policy-enforcer/handler.ts": ["#domain/policy", "#runtime/define-step"],
  "functions/sql-query/handler.ts": ["#data/session", "#runtime/define-step", "#approval/verify"],
  "k8s/check/typed.ts": [],
  "cli/main.ts": ["#adapters/amqp/broker", "#sidecar/deliver"],
};

/** An import that breaks the law, and the rule that must say so. */
const planted: readonly [from: string, imports: string, rule: string, resolved: string][] = [
  ["shared/contracts/index.ts", "#errors", "shared/contracts-sees-only-its-own", "shared/errors/index.ts"],
  ["shared/errors/index.ts", "#domain/limits", "shared/errors-sees-only-its-own", "shared/domain/limits.ts"],
  ["shared/ports/broker.ts", "#domain/limits", "shared/ports-sees-only-its-own", "shared/domain/limits.ts"],
  ["shared/domain/policy.ts", "#ports/broker", "shared/domain-sees-only-its-own", "shared/ports/broker.ts"],
  ["shared/domain/policy.ts", "node:fs", "domain-has-no-io", "fs"],
  ["shared/domain/policy.ts", "hono", "domain-has-no-io", "node_modules/hono/index.js"],
  ["shared/approval/verify.ts", "#ports/broker", "shared/approval-sees-only-its-own", "shared/ports/broker.ts"],
  ["shared/data/session.ts", "#ports/broker", "shared/data-sees-only-its-own", "shared/ports/broker.ts"],
  [
    "shared/runtime/define-step.ts",
    "#adapters/system/clock",
    "shared/runtime-sees-only-its-own",
    "shared/adapters/system/clock.ts",
  ],
  [
    "shared/sidecar/deliver.ts",
    "#adapters/amqp/broker",
    "shared/sidecar-sees-only-its-own",
    "shared/adapters/amqp/broker.ts",
  ],
  ["shared/adapters/amqp/broker.ts", "#domain/policy", "shared/adapters-sees-only-its-own", "shared/domain/policy.ts"],
  [
    "shared/adapters/amqp/broker.ts",
    "#adapters/memory/broker",
    "adapters-are-apart",
    "shared/adapters/memory/broker.ts",
  ],
  ["shared/adapters/amqp/broker.ts", "hono", "adapter-amqp-has-one-vendor", "node_modules/hono/index.js"],
  ["shared/adapters/prometheus/metrics.ts", "hono", "adapter-prometheus-has-one-vendor", "node_modules/hono/index.js"],
  ["shared/adapters/memory/broker.ts", "amqplib", "other-adapters-have-no-vendor", "node_modules/amqplib/index.js"],
  [
    "functions/sql-query/handler.ts",
    "#adapters/system/clock",
    "functions-sees-only-its-own",
    "shared/adapters/system/clock.ts",
  ],
  [
    "functions/sql-query/handler.ts",
    "../policy-enforcer/handler.ts",
    "functions-are-apart",
    "functions/policy-enforcer/handler.ts",
  ],
  ["functions/orchestrator/handler.ts", "#approval/verify", "approvals-are-for-two-steps", "shared/approval/verify.ts"],
  ["functions/policy-enforcer/handler.ts", "#data/session", "data-is-for-sql-steps", "shared/data/session.ts"],
  [
    "functions/policy-enforcer/handler.ts",
    "#ports/broker",
    "only-the-orchestrator-calls-the-sidecar",
    "shared/ports/broker.ts",
  ],
  [
    "functions/orchestrator/handler.ts",
    "#sidecar/deliver",
    "the-orchestrator-is-a-client",
    "shared/sidecar/deliver.ts",
  ],
  ["functions/sql-query/handler.ts", "#contracts/compile-schemas", "steps-stay-lean", "node_modules/ajv/index.js"],
  ["k8s/check/typed.ts", "#sidecar/deliver", "k8s/check-sees-only-its-own", "shared/sidecar/deliver.ts"],
  ["cli/main.ts", "../k8s/check/typed.ts", "checks-of-manifests-are-nobodys", "k8s/check/typed.ts"],
  ["cli/main.ts", "#testing/world", "testing-in-tests-only", "shared/testing/world.ts"],
  ["cli/main.ts", "#domain/absent", "no-unresolved", "#domain/absent"],
  ["shared/domain/limits.ts", "./policy.ts", "no-ring", "shared/domain/policy.ts"],
];

it("a tree that keeps the import law has no violation, and its imports are followed", async () => {
  const { modules, arrows, violations } = await checkTree(lawful);
  expect(violations).toEqual([]);
  expect(modules).toBe(Object.keys(lawful).length);
  expect(arrows).toBeGreaterThan(15);
});

it.for(planted)("%s may not import %s: %s", async ([from, imports, rule, resolved]) => {
  const tree = { ...lawful, [from]: [...(lawful[from] ?? []), imports] };
  expect((await checkTree(tree)).violations).toContain(`${rule}: ${from} → ${resolved}`);
});

it("a type-only import counts as an import", async () => {
  const { violations } = await checkTree(lawful, {
    "shared/domain/late.ts": 'import type { X } from "#ports/broker";',
  });
  expect(violations).toEqual(["shared/domain-sees-only-its-own: shared/domain/late.ts → shared/ports/broker.ts"]);
});

it("every rule of the law has a planted violation", () => {
  expect(new Set(planted.map(([, , rule]) => rule))).toEqual(new Set(ruleNames));
});

/** Lays the tree out in a folder of its own, with the repository's import names and compiler options. */
async function checkTree(
  tree: Readonly<Record<string, readonly string[]>>,
  more: Readonly<Record<string, string>> = {},
) {
  const home = mkdtempSync(join(tmpdir(), "import-law-"));
  try {
    const sources = Object.entries(tree).map(([path, imports]) => [path, sourceOf(imports)] as const);
    for (const [path, source] of [...sources, ...Object.entries(more), ...packages.flatMap(packageFiles)]) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), source);
    }
    const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
    writeFileSync(join(home, "package.json"), JSON.stringify(manifest));
    writeFileSync(join(home, "tsconfig.json"), readFileSync(join(repository, "tsconfig.json")));
    return await checkImportLaw(home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function sourceOf(imports: readonly string[]): string {
  return [...imports.map((name) => `import ${JSON.stringify(name)};`), "export const here = true;"].join("\n");
}

function packageFiles(name: string): [string, string][] {
  const folder = `node_modules/${name}`;
  return [
    [`${folder}/package.json`, JSON.stringify({ name, version: "1.0.0", main: "index.js" })],
    [`${folder}/index.js`, "module.exports = {};"],
  ];
}
