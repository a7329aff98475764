/** What would be released now: every bundle, its SBOM and its licences. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeImageRoot } from "../image/image-root.ts";
import { notAllowed } from "../inside/allowed-licences.ts";
import cyclonedx from "../inside/cyclonedx.schema.json" with { type: "json" };
import { licenceList } from "../inside/licence-list.ts";
import { bundleFunctions, type ReleasePart, refuseGap } from "./release-parts.ts";

const home = resolve(import.meta.dirname, "../..");
let folder: string;
let parts: readonly ReleasePart[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-release-"));
  parts = [
    ...(await bundleFunctions(home, join(folder, "functions"))),
    await makeImageRoot(home, join(folder, "image")),
  ];
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const textOf = (part: string, file: string) =>
  readFile(join(folder, part === "dynamos" ? "image/opt/dynamos" : `functions/${part}`, file), "utf8");

it("holds no package under a licence that is not allowed, and passes each licence's text on", async () => {
  const packages = parts.flatMap((part) => part.packages);
  expect(notAllowed(packages)).toEqual([]);
  const list = await licenceList(packages, refuseGap);
  for (const { name, version } of packages) expect(list).toContain(`\n${name} ${version} (`);
  for (const tool of ["esbuild", "vitest", "tsx", "typescript"]) expect(list).not.toContain(`\n${tool} `);
});

it("lists exactly those packages of which esbuild says in the bundle that they are there", async () => {
  expect(parts.length).toBeGreaterThanOrEqual(10);
  for (const { name, packages, sbom } of parts) {
    const files = (JSON.parse(sbom) as { components: { type: string; name: string }[] }).components
      .filter(({ type }) => type === "file")
      .map((file) => file.name);
    // esbuild has no hand in a native file that lies beside.
    for (const file of files.filter((each) => !each.endsWith(".node"))) {
      // The comment over each module, and the name of each CommonJS wrapper.
      const marks = (await textOf(name, file)).matchAll(
        /^(?:\/\/ |\s+")\S*?node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\/\S+?(?:$|"\()/gm,
      );
      const listed = packages.filter(({ holders, sources }) => holders.includes(file) && sources.length > 0);
      expect([...new Set([...marks].map(([, mark]) => mark))].sort()).toEqual(
        [...new Set(listed.map((inside) => inside.name))].sort(),
      );
    }
  }
});

it("lists DuckDB's native part for the functions that have the engine, and for no other", () => {
  const withEngine = parts.filter(({ packages }) => packages.some(({ name }) => name === "@duckdb/node-bindings"));
  expect(withEngine.map(({ name }) => name)).toEqual(["agreement-check", "sql-query"]);
  for (const { packages } of withEngine) {
    const names = packages.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["detect-libc", "@duckdb/node-api"]));
    expect(names.some((name) => name.startsWith("@duckdb/node-bindings-linux"))).toBe(true);
  }
});

it("has an SBOM of each that CycloneDX readers take, whose references lead somewhere", () => {
  const validate = new Ajv({ strict: false }).compile(cyclonedx);
  for (const { sbom } of parts) {
    const document = JSON.parse(sbom);
    validate(document);
    expect(validate.errors).toBeNull();
    const refs: string[] = [document.metadata.component, ...document.components].map((one) => one["bom-ref"]);
    expect(new Set(refs).size).toBe(refs.length);
    for (const { ref, dependsOn } of document.dependencies)
      expect(refs).toEqual(expect.arrayContaining([ref, ...dependsOn]));
    const reached = new Set(document.dependencies.flatMap((one: { dependsOn: string[] }) => one.dependsOn));
    expect(refs.slice(1).filter((ref) => !reached.has(ref))).toEqual([]);
  }
});

it("has the same bytes for the same build", async () => {
  const [again] = await bundleFunctions(home, join(folder, "again"), ["sql-query"]);
  expect(again?.sbom).toBe(parts.find(({ name }) => name === "sql-query")?.sbom);
  const image = await makeImageRoot(home, join(folder, "image-again"));
  expect(image.sbom).toBe(parts.at(-1)?.sbom);
}, 60_000);
