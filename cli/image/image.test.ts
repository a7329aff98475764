/** The image, in the folders that its Dockerfile's COPY lines make: no container engine is needed to see what is inside. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { version } from "#domain/version";
import { approvalEnvironment } from "#testing/approval-keys";

const home = resolve(import.meta.dirname, "../..");
let folder: string;
/** `/` of the image, as far as it is not the base's. */
let root: string;
let dockerfile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-image-"));
  root = join(folder, "root");
  dockerfile = await readFile(join(home, "cli/image/Dockerfile"), "utf8");
  await buildStages(join(folder, "build"));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** COPY and RUN of the build stage in `stage`, which is gone when the last stage's COPY is done. */
async function buildStages(stage: string): Promise<void> {
  const workdir = /^WORKDIR (\S+)$/m.exec(dockerfile)?.[1] ?? "";
  for (const [, instruction, rest = ""] of dockerfile.matchAll(/^(COPY|RUN) (.*)$/gm)) {
    if (instruction === "COPY") {
      const words = rest.split(" ");
      const isFromStage = words[0] === "--from=build";
      const target = words.pop() ?? "";
      for (const source of isFromStage ? words.slice(1) : words) {
        if (isFromStage) await cp(join(stage, source.slice(workdir.length)), join(root, target), verbatim);
        else await copyFromContext(source, join(stage, target.endsWith("/") ? join(target, source) : target));
      }
    } else if (rest.startsWith("npm ci ")) {
      await symlink(join(home, "node_modules"), join(stage, "node_modules"));
    } else {
      const env = { PATH: process.env.PATH, VERSION: version };
      await promisify(execFile)("sh", ["-c", rest], { cwd: stage, env });
    }
  }
  await rm(stage, { recursive: true });
}

const verbatim = { recursive: true, verbatimSymlinks: true };

/** Without what Dockerfile.dockerignore leaves out: tests. */
function copyFromContext(source: string, target: string): Promise<void> {
  const filter = (path: string) => !path.endsWith(".test.ts");
  return mkdir(dirname(target), { recursive: true }).then(() =>
    cp(join(home, source), target, { recursive: true, filter }),
  );
}

interface Run {
  readonly child: ChildProcess;
  /** First line of standard output. */
  readonly line: Promise<string>;
  readonly written: () => string;
  readonly status: Promise<number | null>;
}

/** In an empty folder, with an environment that knows nothing of a checkout. */
function dynamos(args: readonly string[], environment: Record<string, string> = {}): Run {
  const child = spawn(join(root, "usr/local/bin/dynamos"), args, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: "/nonexistent", NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [written, said] = ["", ""];
  const status = new Promise<number | null>((done) => child.once("close", done));
  const line = new Promise<string>((done, failed) => {
    child.stderr.on("data", (text) => (written += text));
    child.stdout.on("data", (text) => {
      written += text;
      said += text;
      if (said.includes("\n")) done(said.split("\n", 1)[0] ?? "");
    });
    void status.then(() => failed(new Error(`it ended: ${written}`)));
  });
  line.catch(() => {});
  return { child, line, written: () => written, status };
}

async function output(...args: string[]): Promise<string> {
  const { status, written } = dynamos(args);
  expect(await status).toBe(0);
  return written();
}

it("holds the command, its licences and its SBOM, and nothing else", async () => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  expect(files.map((file) => file.slice(root.length)).sort()).toEqual([
    "/opt/dynamos/LICENSE",
    "/opt/dynamos/cli/bin/dynamos.mjs",
    "/opt/dynamos/licences.txt",
    "/opt/dynamos/sbom.cdx.json",
    "/opt/dynamos/stack.yml",
    "/usr/local/bin/dynamos",
  ]);
});

it("says the version of package.json, in the command and in its label", async () => {
  expect(await output("--version")).toBe(`${version}\n`);
  expect(/^ARG VERSION=(.*)$/m.exec(dockerfile)?.[1]).toBe(version);
  expect(dockerfile).toMatch(/org\.opencontainers\.image\.version="\$\{VERSION\}"/);
});

it("runs as a number that is not root, and leaves probes to Kubernetes", () => {
  expect(dockerfile).toMatch(/^USER [1-9]\d*$/m);
  expect(dockerfile).toMatch(/^ENTRYPOINT \["dynamos"\]$/m);
  expect(dockerfile).not.toContain("HEALTHCHECK");
  expect(dockerfile.match(/^FROM .*$/gm)?.filter((line) => !/^FROM \$\{NODE\}/.test(line))).toEqual([]);
});

it("knows every command's help without a checkout beside it", async () => {
  const listed = (await output("--help")).matchAll(/^ {2}([a-z][a-z-]+) /gm);
  const commands = [...listed].flatMap(([, name = ""]) => (name === "help" ? [] : name));
  expect(commands).toEqual(expect.arrayContaining(["sidecar", "queues", "dead-letters", "audit", "broker"]));
  const help = (command: string) => output(command, "--help");
  await Promise.all(
    commands.map(async (command) => expect(await help(command)).toContain(`Usage: dynamos ${command}`)),
  );
}, 120_000);

it("says of the commands that need the functions that those are not here", async () => {
  const { status, written } = dynamos(["demo"]);
  expect(await status).toBe(1);
  expect(written()).toMatch(/^error .*without the functions: the whole system starts from a checkout\n$/);
});

it.skipIf(inject("amqpUrl") === "")(
  "runs a sidecar that writes to its records alone",
  async () => {
    const gateway = await listFunctions();
    const records = join(folder, "records");
    const before = await digestOf(root);
    const sidecar = dynamos(
      [
        "sidecar",
        "--party",
        "IMAGE",
        "--knowledge",
        "memory",
        "--metrics-port",
        "0",
        "--records",
        records,
        "--drain",
        "0",
      ],
      {
        DYNAMOS_BROKER: inject("amqpUrl"),
        DYNAMOS_APPROVAL_KEYS: approvalEnvironment.approval_keys_file,
        OPENFAAS_URL: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
      },
    );
    try {
      const ready = JSON.parse(await sidecar.line) as { event: string; version: string; metrics: string };
      expect(ready).toMatchObject({ event: "ready", version });
      const page = await (await fetch(ready.metrics)).text();
      expect(page).toContain(`dynamos_build_info{party="IMAGE",version="${version}"} 1`);
      expect(page).toContain('dynamos_broker_connected{party="IMAGE"} 1');
      sidecar.child.kill("SIGTERM");
      expect(await sidecar.status).toBe(0);
      expect(await readdir(records)).toEqual(["IMAGE"]);
      expect(await digestOf(root)).toBe(before);
    } finally {
      sidecar.child.kill("SIGKILL");
      gateway.close();
    }
  },
  60_000,
);

async function digestOf(tree: string): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  for (const path of entries.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(path);
    if ((await lstat(path)).isFile()) hash.update(await readFile(path));
  }
  return hash.digest("hex");
}

/** A gateway with no function. */
async function listFunctions(): Promise<Server> {
  const server = createServer((_, response) => response.setHeader("content-type", "application/json").end("[]"));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}
