import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BundledFile, bundleFunction } from "./bundle-function.ts";

const home = resolve(import.meta.dirname, "../..");
const singleUse = ["agreement-check", "sql-query", "sql-anonymize", "sql-aggregate", "sql-algorithm", "sql-graph"];
const withEngine = ["agreement-check", "sql-query"];
/** With a worker that holds further steps too. */
const fusible: Readonly<Record<string, readonly string[]>> = {
  "sql-query": ["sql-anonymize", "sql-algorithm", "sql-graph"],
  "sql-aggregate": ["sql-algorithm", "sql-graph"],
};
const shared = ["policy-enforcer", "archetype-selector"];
const bundles = new Map<string, Record<string, BundledFile>>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-test-"));
  for (const name of [...singleUse, ...shared]) {
    bundles.set(name, await bundleFunction(join(home, "functions", name, "handler.ts"), join(folder, name)));
  }
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function fileOf(name: string, file: string): BundledFile {
  const bundled = bundles.get(name)?.[file];
  if (bundled === undefined) throw new Error(`no ${file} of ${name}`);
  return bundled;
}

const npmPackages = ({ inputs }: BundledFile) => [
  ...new Set(inputs.flatMap((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? [])),
];

describe("the bundle of a single-use function", () => {
  it.each(singleUse)("%s is a door, a worker, the JSON codec and what a fork server needs", async (name) => {
    expect((await readdir(join(folder, name))).sort()).toEqual([
      ...(name in fusible ? ["fused-worker.js"] : []),
      "index.js",
      "json-codec.js",
      "koffi.node",
      "package.json",
      ...(name === "sql-query" ? ["pg.js"] : []),
      "worker.js",
    ]);
  });

  it.each(singleUse)("%s has a lean door without the step, its data and its libraries", (name) => {
    const door = fileOf(name, "index.js");
    expect(door.bytes).toBeLessThanOrEqual(125_000);
    expect(npmPackages(door)).toEqual(["@bufbuild/protobuf"]);
    expect(door.inputs.filter((input) => /functions\/(?!.*-index\.js\.ts$)|shared\/data\//.test(input))).toEqual([]);
  });

  it.each(singleUse)("%s has a worker that reaches no broker, no gRPC and no validator", (name) => {
    const worker = fileOf(name, "worker.js");
    const allowed = ["@bufbuild/protobuf", "apache-arrow", "flatbuffers", "tslib"];
    const more = npmPackages(worker).filter((vendor) => !allowed.includes(vendor));
    expect(more).toEqual(withEngine.includes(name) ? ["@duckdb/node-api"] : []);
    expect(worker.bytes).toBeLessThanOrEqual(withEngine.includes(name) ? 1_400_000 : 750_000);
  });

  it.each(Object.entries(fusible))("%s has a worker that holds further steps, and one that does not", (name, steps) => {
    const handlers = ({ inputs }: BundledFile) =>
      inputs.flatMap((input) => /functions\/([^/]+)\/handler\.ts$/.exec(input)?.[1] ?? []);
    expect(handlers(fileOf(name, "fused-worker.js")).sort()).toEqual([name, ...steps].sort());
    expect(handlers(fileOf(name, "worker.js"))).toEqual([name]);
  });

  it("has PostgreSQL's driver in a file of its own, which only sql-query loads when it needs it", () => {
    expect(singleUse.filter((name) => fileOf(name, "worker.js").apart.length > 0)).toEqual(["sql-query"]);
    expect(fileOf("sql-query", "worker.js").apart).toEqual(["pg.js"]);
    const driver = createRequire(import.meta.url)(join(folder, "sql-query", "pg.js")) as typeof pg;
    expect(new driver.Client({ host: "nowhere" }).host).toBe("nowhere");
  });

  it("needs DuckDB's native part beside it for those with the engine alone", () => {
    const needing = singleUse.filter((name) => fileOf(name, "worker.js").packages.length > 0);
    expect(needing).toEqual(withEngine);
    for (const name of withEngine) expect(fileOf(name, "worker.js").packages).toEqual(["@duckdb/node-bindings"]);
  });
});

describe("the bundle of a shared step", () => {
  it.each(shared)("%s holds the step and is small", (name) => {
    expect(Object.keys(bundles.get(name) ?? {}).sort()).toEqual(["index.js", "json-codec.js"]);
    expect(npmPackages(fileOf(name, "index.js"))).toEqual(["@bufbuild/protobuf"]);
    expect(fileOf(name, "index.js").bytes).toBeLessThanOrEqual(260_000);
  });
});
