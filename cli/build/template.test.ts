/** The template, in the folders that faas-cli makes of it: each function is built, tested and run by itself. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Envelope, Outcome } from "#contracts";
import { approvalEnvironment } from "#testing/approval-keys";
import { newFunction, pullTemplate, shrinkwrap, shrinkwrapOfStack } from "#testing/faas-cli";
import { startBundle } from "#testing/started-bundle";
import { openTokens, type Tokens } from "#testing/tokens";
import { bundleFunctions, type ReleasePart } from "../release/release-parts.ts";

const run = promisify(execFile);
const home = resolve(import.meta.dirname, "../..");
const lang = "node18-single-use";
const template = join(home, "templates", lang);
let folder: string;
let tokens: Tokens;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-test-"));
  tokens = await openTokens();
});
afterAll(async () => {
  await tokens.remove();
  await rm(folder, { recursive: true, force: true });
});

/** The build stage. `npm ci` gives what is linked here. @returns the bundle, at a place where no checkout is near */
async function buildStage(target: string, buildArguments: Record<string, string> = {}): Promise<string> {
  for (const within of [target, join(target, "function")]) {
    await symlink(join(home, "node_modules"), join(within, "node_modules"));
  }
  await run(join(target, "node_modules/.bin/tsx"), ["bundle.mts"], {
    cwd: target,
    env: { ...process.env, ...buildArguments },
  });
  const alone = `${target}-alone`;
  await rename(join(target, "bundle"), alone);
  await rm(target, { recursive: true });
  return alone;
}

async function bundleOf(name: string): Promise<string> {
  const target = join(folder, name);
  await shrinkwrapOfStack(home, name, target);
  return buildStage(target);
}

/** By its SBOM. */
async function insideOf(bundle: string) {
  const { metadata, components } = JSON.parse(await readFile(join(bundle, "sbom.cdx.json"), "utf8"));
  const { name, version } = metadata.component;
  return { subject: `${name} ${version}`, listed: components.map((one: { name: string }) => one.name) as string[] };
}

describe("of this project's functions", () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ["policy-enforcer", { approval_key_file: approvalEnvironment.approval_key_file }, /^\d+-shared$/],
    // Its worker rehearses with DuckDB before it says ready.
    [
      "uva-sql-query",
      { data_dir: "/", approval_keys_file: approvalEnvironment.approval_keys_file },
      /^\d+-[0-9a-f]{16}$/,
    ],
  ])("%s is a bundle that runs by itself", async (name, environment, worker) => {
    const alone = await bundleOf(name);
    const step = name.replace("uva-", "");
    // The steps that may follow it came along by `copy`.
    if (step === "sql-query") expect(await readdir(alone)).toContain("fused-worker.js");
    const { child, url, exited } = await startBundle(alone, environment);
    const envelope = Envelope.fromPartial({ queryId: "q", step, deadlineMs: Date.now() + 10_000 });
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf" },
      body: new Uint8Array(Envelope.encode(envelope).finish()),
    });
    expect(response.headers.get("x-dynamos-worker")).toMatch(worker);
    expect(Outcome.decode(new Uint8Array(await response.arrayBuffer())).decision).toBeDefined();
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  });

  it("each says what is inside, as a release does", async () => {
    const alone = await bundleOf("vu-sql-query");
    const { listed } = await insideOf(alone);
    expect(listed).toEqual(expect.arrayContaining(["worker.js", "node-api", "node-bindings", "detect-libc"]));
    expect(listed).not.toContain("dynamos-faas");
    const { packages, sbom } = (await bundleFunctions(home, join(folder, "released"), ["sql-query"]))[0] as ReleasePart;
    expect(packages.length).toBeGreaterThan(5);
    const described = (text: string) => ({ ...JSON.parse(text), serialNumber: "" });
    const own = described(await readFile(join(alone, "sbom.cdx.json"), "utf8"));
    const released = described(sbom);
    const libraries = ({ components }: { components: { type: string }[] }) =>
      components.filter(({ type }) => type === "library");
    expect(libraries(own)).toEqual(libraries(released));
    expect(own.metadata).toEqual(released.metadata);
  });

  it("the orchestrator is a bundle that runs by itself, without DuckDB", async () => {
    const alone = await bundleOf("orchestrator");
    expect((await readdir(alone)).sort()).toEqual(["index.js", "licences.txt", "package.json", "sbom.cdx.json"]);
    const { url, stop } = await startBundle(alone, {
      sidecar_address: `unix://${join(folder, "none.sock")}`,
      token_issuer: tokens.issuer.issuer,
      token_audience: tokens.issuer.audience,
      token_jwks_file: tokens.issuer.jwksFile,
    });
    expect((await fetch(`${url}/v1/queries/x`, { headers: await tokens.headerOf() })).status).toBe(404);
    await stop();
  });
});

/** Somebody's project, which has the template and nothing else of this one. */
describe("of somebody's project that pulled the template", () => {
  let project: string;
  let handler: string;
  beforeAll(async () => {
    project = join(folder, "project");
    await pullTemplate(home, project, lang);
    handler = await newFunction(project, lang, "hello");
  });

  async function built(name: string, buildArguments: Record<string, string> = {}): Promise<string> {
    const target = join(project, "build", name);
    await shrinkwrap({ project, lang, handler: name, copy: [], target });
    return buildStage(target, buildArguments);
  }

  it("a new function is TypeScript that checks and passes its own test where it stands", async () => {
    await symlink(join(home, "node_modules"), join(handler, "node_modules"));
    const { stdout } = await run("npm", ["test"], { cwd: handler });
    await rm(join(handler, "node_modules"));
    expect(stdout).toContain("pass 2");
  });

  it("it is built with its test, and its image holds the bundle alone, which answers", async () => {
    const alone = await built("hello");
    expect((await readdir(alone)).sort()).toEqual(
      ["index.js", "licences.txt", "package.json", "sbom.cdx.json", "worker.js"].sort(),
    );
    const { url, child, exited } = await startBundle(alone, {});
    const ask = async (body: string) => {
      const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
      return [response.status, await response.json()];
    };
    expect(await ask('{"name":"Ann"}')).toEqual([200, { greeting: "hello Ann" }]);
    expect((await ask("[]"))[0]).toBe(400);
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  });

  it("a test that fails ends the build", async () => {
    await cp(handler, join(project, "wrong"), { recursive: true });
    const source = join(project, "wrong/handler.test.ts");
    await writeFile(source, (await readFile(source, "utf8")).replace("hello Ann", "goodbye"));
    await expect(built("wrong")).rejects.toMatchObject({ stdout: expect.stringContaining("goodbye") });
  });

  it("a handler in JavaScript takes the place of the example, with the packages and files that it names", async () => {
    const own = join(project, "own");
    await cp(join(handler, "tsconfig.json"), join(own, "tsconfig.json"));
    await writeFile(
      join(own, "handler.js"),
      'const { debug } = require("picocolors");\nmodule.exports = async () => require("fs").readFileSync(__dirname + "/words/a.txt", "utf8") + typeof require("picocolors").red;\n',
    );
    await cp(join(home, "LICENSE"), join(own, "words/a.txt"));
    await writeFile(
      join(own, "package.json"),
      '{"name":"own","version":"2.0.0","singleUse":{"external":["picocolors"],"files":["words"]}}',
    );
    const alone = await built("own", { VERSION: "2.0.1" });
    expect(await readdir(join(alone, "node_modules"))).toEqual(["picocolors"]);
    expect(await insideOf(alone)).toEqual({
      subject: "own 2.0.1",
      listed: expect.arrayContaining(["dynamos-faas", "picocolors", "index.js", "worker.js"]),
    });
    expect(await readFile(join(alone, "licences.txt"), "utf8")).toMatch(
      /^dynamos-faas\n\nMIT License\n.*\npicocolors /s,
    );
    const { url, stop } = await startBundle(alone);
    expect(await (await fetch(url)).text()).toMatch(/^MIT License.*function$/s);
    await stop();
  });
});

describe("the template's own files", () => {
  it("start what the door needs, as no user of the base image's own", async () => {
    const dockerfile = await readFile(join(template, "Dockerfile"), "utf8");
    const setting = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(dockerfile)?.[1];
    expect(setting("mode")).toBe("http");
    expect(setting("fprocess")).toBe("node index.js");
    expect(setting("upstream_url")).toBe(`http://127.0.0.1:${setting("http_port")}`);
    expect(setting("ready_path")).toBe("/_/ready");
    expect(dockerfile).toMatch(/^USER \d+$/m);
  });

  it("give the image each label by a build argument, which the last stage knows", async () => {
    const last = (await readFile(join(template, "Dockerfile"), "utf8")).split(/^FROM /m).at(-1) ?? "";
    for (const name of ["title", "version", "revision", "source", "licenses"]) {
      expect(last).toMatch(new RegExp(`^ARG ${name.toUpperCase()}$`, "m"));
      expect(last).toContain(`org.opencontainers.image.${name}="\${${name.toUpperCase()}}"`);
    }
  });

  it("have the project's version, import names and versions of packages", async () => {
    const [own, project] = await Promise.all(
      [template, home].map(async (each) => JSON.parse(await readFile(join(each, "package.json"), "utf8"))),
    );
    expect([own.version, own.imports]).toEqual([project.version, project.imports]);
    const example = JSON.parse(await readFile(join(template, "function/package.json"), "utf8"));
    const versions = { ...project.dependencies, ...project.devDependencies };
    for (const [name, version] of Object.entries({ ...own.dependencies, ...example.devDependencies })) {
      expect([name, version]).toEqual([name, versions[name]]);
    }
    const lock = JSON.parse(await readFile(join(template, "package-lock.json"), "utf8"));
    expect(lock.packages[""]).toMatchObject({ version: own.version, dependencies: own.dependencies });
  });
});
