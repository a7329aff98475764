/** faas-cli against the local gateway: the real one where it is there, and the stand-in always; one suite for both. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { createMemoryLog } from "#adapters/memory/log";
import { placeFaasCli, type Ran, realFaasCli, runCommand } from "#testing/faas-cli/place";
import { partsOf } from "../stack/parts.ts";
import { readStack } from "../stack/read-stack.ts";
import { type Gateway, startGateway } from "./start-gateway.ts";

const checkout = resolve(import.meta.dirname, "../..");
const real = realFaasCli();
if (real === undefined) {
  process.stdout.write("SKIPPED: there is no faas-cli here, so the gateway is tested with the stand-in alone\n");
}

const fixture = `
const { createServer } = require("node:http");
if (process.env.refuse_start) { console.error("no such table"); process.exit(3); }
console.error("started as " + process.env.greeting);
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    if (request.url.startsWith("/?fail")) response.statusCode = 500;
    response.end(process.env.greeting + " " + request.method + " " + request.url + " " + (request.headers["content-type"] ?? "") + " " + (request.headers["x-mine"] ?? "") + " " + Buffer.concat(chunks));
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send({ event: "listening", port: server.address().port });
  process.send({ event: "ready" });
});
process.on("disconnect", () => process.exit(0));
`;

const stackFile = `version: 1.0
provider:
  name: openfaas
  gateway: http://127.0.0.1:8080
configuration:
  copy: [shared]
functions:
  uva-echo:
    lang: node18-single-use
    handler: ./functions/sql-query
    image: \${REGISTRY:-}dynamos-echo:\${TAG:-v1}
    annotations: {topic: uva.echo, com.dynamos.party: UVA}
    environment: {greeting: "hello <\${TAG:-v1}>", exec_timeout: 10s}
    secrets: [approval-keys]
    limits: {memory: 1Gi, cpu: "1"}
    requests: {memory: 128Mi}
    readonly_root_filesystem: true
  vu-echo:
    lang: node18-single-use
    handler: ./functions/sql-query
    image: dynamos-echo:v1
    labels: {team: "42"}
    environment: {greeting: vu}
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-faas-cli-"));
  await mkdir(join(folder, "built/echo"), { recursive: true });
  await writeFile(join(folder, "built/echo/index.js"), fixture);
  await mkdir(join(folder, "work"));
  await writeFile(join(folder, "work/stack.yml"), stackFile);
  await writeFile(join(folder, "work/keys"), '  {"keys":[]}\n');
  await symlink(join(checkout, "template"), join(folder, "work/template"));
  await symlink(checkout, join(folder, "checkout"));
  for (const { handler } of (await readStack(join(checkout, "stack.yml"), { environment: {} })).functions) {
    await cp(join(folder, "built/echo"), join(folder, "built", basename(handler)), { recursive: true });
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const password = "a:b c";

describe.each([
  ["the stand-in", undefined, true],
  ["the real one", real, real !== undefined],
])("faas-cli, %s,", (name, file, isThere) => {
  describe.skipIf(!isThere)("over the local gateway", () => {
    let gateway: Gateway;
    let bin: string;

    beforeAll(async () => {
      bin = join(folder, name.replaceAll(" ", "-"));
      await mkdir(bin);
      placeFaasCli(bin, file);
      gateway = await startGateway({
        stack: { path: "stack.yml", functions: [], copy: [] },
        buildDir: join(folder, "built"),
        secretsDir: join(bin, "secrets"),
        port: 0,
        environmentFor: () => ({}),
        log: createMemoryLog(),
        auth: { user: "admin", password },
      });
    });
    afterAll(() => gateway?.stop());

    function faasCli(
      words: string,
      more: { env?: Record<string, string>; input?: string; cwd?: string } = {},
    ): Promise<Ran> {
      const env = {
        PATH: process.env.PATH ?? "",
        HOME: bin,
        OPENFAAS_CONFIG: join(bin, "config"),
        OPENFAAS_URL: gateway.url,
      };
      const args = words.split(" ").map((word) => word.replaceAll("%20", " "));
      const options = { cwd: join(folder, more.cwd ?? "work"), env: { ...env, ...more.env } };
      return runCommand(join(bin, "faas-cli"), args, {
        ...options,
        ...(more.input === undefined ? {} : { input: more.input }),
      });
    }

    it("is refused until it has logged in, and a wrong password is", async () => {
      expect(await faasCli("list")).toMatchObject({
        status: 1,
        stdout: 'Unauthorized access, run "faas-cli login" to setup authentication for this server\n',
      });
      const wrong = await faasCli("login --password-stdin", { input: "wrong\n" });
      expect([wrong.status, wrong.stdout]).toEqual([1, expect.stringContaining("password is incorrect")]);
      const right = await faasCli("login --password-stdin", { input: `${password}\n` });
      expect([right.status, right.stdout]).toEqual([
        0,
        expect.stringContaining(`credentials saved for admin ${gateway.url}`),
      ]);
      expect(await faasCli("list --quiet")).toMatchObject({ status: 0, stdout: "" });
    });

    it("does not deploy a function whose secret is not there", async () => {
      const { status, stdout } = await faasCli("deploy --filter uva-*");
      expect(status).toBe(1);
      expect(stdout).toContain("Unexpected status: 400, message: unable to find secret: approval-keys");
    });

    it("makes, lists, replaces and removes secrets, whose values stay in", async () => {
      expect((await faasCli("secret list")).stdout).toBe("No secrets found.\n");
      expect(await faasCli("secret create approval-keys --from-file keys")).toMatchObject({
        status: 0,
        stdout: "Creating secret: approval-keys.\nCreated: 201 Created\n",
      });
      // Byte for byte: what faas-cli trims is the other field.
      expect(await readFile(join(bin, "secrets/approval-keys"), "utf8")).toBe('  {"keys":[]}\n');
      expect((await faasCli("secret create approval-keys --from-literal x")).stdout).toContain("already exists");
      expect((await faasCli("secret create approval-keys --from-literal x --replace")).stdout).toContain(
        "Updated: 200 OK",
      );
      expect(await readFile(join(bin, "secrets/approval-keys"), "utf8")).toBe("x");
      await faasCli("secret create other", { input: "from standard input\n" });
      expect((await faasCli("secret list")).stdout).toBe("\nNAME\napproval-keys\nother\n\n");
      expect((await faasCli("secret remove other")).stdout).toBe("Removed.. OK.\n");
      expect(await faasCli("secret remove other")).toMatchObject({
        status: 1,
        stdout: "Unable to find secret: other\n",
      });
      expect((await faasCli("secret create Wrong_Name --from-literal x")).status).toBe(1);
    });

    it("deploys a part of a stack file, and calls it", async () => {
      const { status, stdout } = await faasCli("deploy --filter uva-*");
      expect([status, stdout]).toEqual([0, expect.stringContaining("Deployed. 200 OK.")]);
      expect(stdout).toContain(`URL: ${gateway.url}/function/uva-echo.openfaas-fn`);
      expect(stdout).not.toContain("rolling-update");
      expect((await faasCli("list --quiet")).stdout).toBe("uva-echo\n");
      const called = await faasCli("invoke uva-echo --query a=b --header X-Mine:%20c --content-type application/json", {
        input: "body",
      });
      expect(called).toMatchObject({ status: 0, stdout: "hello <v1> POST /?a=b application/json c body" });
      const failed = await faasCli("invoke uva-echo --query fail=1", { input: "" });
      expect(failed).toMatchObject({ status: 1, stdout: expect.stringContaining("unexpected status code: 500") });
    });

    it("lists and describes what is deployed", async () => {
      await faasCli("deploy --filter vu-*");
      expect((await faasCli("list")).stdout).toMatch(
        /^Function +\tInvocations +\tReplicas\nuva-echo +\t2 +\t1 +\nvu-echo +\t0 +\t1 +\n$/,
      );
      expect((await faasCli("list -v")).stdout).toMatch(/uva-echo +\tdynamos-echo:v1 +\t2 +\t1 +\t\t\d{4}-/);
      const { stdout } = await faasCli("describe uva-echo");
      for (const line of [
        /^Name: +uva-echo$/m,
        /^Status: +Ready$/m,
        /^Replicas: +1$/m,
        /^Available Replicas: +1$/m,
        /^Invocations: +2$/m,
        /^Image: +dynamos-echo:v1$/m,
        /^Function Process: +node index\.js$/m,
        /^\s*topic: uva\.echo$/m,
        /^\s*exec_timeout: 10s$/m,
        /^\s*- approval-keys$/m,
        /^Limits:\n\s*CPU: 1\n\s*Memory: 1Gi$/m,
      ]) {
        expect(stdout).toMatch(line);
      }
      expect(await faasCli("describe absent")).toMatchObject({ status: 1, stdout: "No such function: absent\n" });
    });

    it("shows the function's log, and when each line was written", async () => {
      expect((await faasCli("logs uva-echo --tail=false")).stdout).toMatch(
        /^\d{4}-\d\d-\d\dT[\d:]+Z started as hello <v1>\n$/,
      );
      expect((await faasCli("logs uva-echo --tail=false --since 1s --lines 0")).status).toBe(0);
      expect(await faasCli("logs absent --tail=false")).toMatchObject({
        status: 1,
        stdout: expect.stringContaining("404 - error finding function absent"),
      });
    });

    it("updates a function by another tag, and rolls back", async () => {
      const updated = await faasCli("deploy --filter uva-*", { env: { TAG: "v2" } });
      expect(updated).toMatchObject({ status: 0, stdout: expect.stringContaining("attempting rolling-update") });
      expect((await faasCli("describe uva-echo")).stdout).toMatch(/^Image: +dynamos-echo:v2$/m);
      expect((await faasCli("invoke uva-echo", { input: "" })).stdout).toContain("hello <v2>");
      expect((await faasCli("logs uva-echo --tail=false")).stdout).toContain("started as hello <v2>");
      await faasCli("deploy --filter uva-*");
      expect((await faasCli("invoke uva-echo", { input: "" })).stdout).toContain("hello <v1>");
    });

    it("keeps what was there when the new one does not start, and says why", async () => {
      const { status, stdout } = await faasCli("deploy --filter uva-* --env refuse_start=yes");
      expect(status).toBe(1);
      expect(stdout).toMatch(/Unexpected status: 500, message: the function uva-echo ended with 3\s+no such table/);
      expect((await faasCli("invoke uva-echo", { input: "" })).stdout).toContain("hello <v1>");
    });

    it("says which image nothing is built of", async () => {
      const { status, stdout } = await faasCli("deploy --image registry.example.org/dynamos-ecko:v1 --name uva-ecko", {
        cwd: "built",
      });
      expect([status, stdout]).toEqual([1, expect.stringContaining("nothing of the name ecko is built here")]);
    });

    it("takes one without a stack file, in place of the one that is there", async () => {
      const { status, stdout } = await faasCli(
        "deploy --image dynamos-echo --name vu-echo --env greeting=third --replace --update=false",
        { cwd: "built" },
      );
      expect([status, stdout]).toEqual([0, expect.stringContaining("Removing old function.")]);
      expect((await faasCli("invoke vu-echo --method GET", { input: "" })).stdout).toContain("third GET / text/plain");
    });

    it("refuses another namespace", async () => {
      expect(await faasCli("list --namespace other")).toMatchObject({
        status: 1,
        stdout: expect.stringContaining("400 - namespace other: there is only openfaas-fn here"),
      });
      expect((await faasCli("invoke uva-echo --namespace other", { input: "" })).stdout).toContain("404");
    });

    it("calls it later, with --async", async () => {
      expect(await faasCli("invoke uva-echo --async", { input: "x" })).toMatchObject({
        status: 0,
        stderr: expect.stringContaining("Function submitted asynchronously."),
      });
    });

    it("refuses a filter that chooses nothing, and a flag that it does not know", async () => {
      expect((await faasCli("deploy --filter nobody-*")).stdout).toContain("o functions matching --filter/--regex");
      expect((await faasCli("deploy --filter a --regex b")).status).toBe(1);
      expect((await faasCli("deploy --filtr a")).stdout).toContain("nknown flag: --filtr");
    });

    it("deploys each organisation's part of the project's stack.yml by its flags, and nothing else", async () => {
      const stack = await readStack(join(checkout, "stack.yml"), { environment: {} });
      for (const secret of ["approval-key", "approval-keys"]) await faasCli(`secret create ${secret} --from-literal x`);
      await faasCli("remove -f stack.yml");
      for (const { party, selection, functions } of partsOf(stack)) {
        const flags = Object.entries(selection).map(([flag, value]) => `--${flag} ${value}`);
        const deployed = await faasCli(`deploy -f stack.yml ${flags}`, { cwd: "checkout" });
        expect([party, deployed.status]).toEqual([party, 0]);
        expect((await faasCli("list --quiet")).stdout.trim().split("\n")).toEqual([...functions].sort());
        await faasCli(`remove -f stack.yml ${flags}`, { cwd: "checkout" });
        expect((await faasCli("list --quiet")).stdout).toBe("");
      }
      await faasCli("deploy -f stack.yml");
    }, 60_000);

    it.skipIf(file === undefined)("generates what the stack file says, for each function", async () => {
      const stack = await readStack(join(checkout, "stack.yml"), { environment: {} });
      const { stdout } = await faasCli("generate -f stack.yml", { cwd: "checkout" });
      const made = parseAllDocuments(stdout).map((document) => document.toJS());
      expect(made.map(({ spec }) => spec.name).sort()).toEqual(stack.functions.map(({ name }) => name).sort());
      for (const { spec } of made) {
        const fn = stack.functions.find(({ name }) => name === spec.name);
        expect(spec.image).toBe(fn?.image);
        expect(spec.annotations).toEqual(fn?.annotations);
        expect(spec.limits).toEqual(fn?.limits);
        expect(spec.readOnlyRootFilesystem).toBe(true);
      }
    });

    it("removes what it deployed", async () => {
      expect(await faasCli("remove vu-echo")).toMatchObject({
        status: 0,
        stdout: expect.stringContaining("Removing old function."),
      });
      expect(await faasCli("remove vu-echo")).toMatchObject({
        status: 1,
        stdout: expect.stringContaining("No existing function to remove"),
      });
      expect((await faasCli("remove -f stack.yml --filter uva-*")).stdout).toContain("Deleting: uva-echo.openfaas-fn");
      expect((await faasCli("list --quiet")).stdout).toBe("");
      expect((await fetch(`${gateway.url}/function/uva-echo`)).status).toBe(404);
    });
  });
});

describe("the stand-in", () => {
  let server: Server;
  let url: string;
  let bin: string;
  let requests: string[];

  beforeAll(async () => {
    bin = join(folder, "bytes");
    await mkdir(bin);
    placeFaasCli(bin);
    server = createServer((socket) => {
      socket.setEncoding("utf8").once("data", (text) => {
        requests.push(String(text));
        const status = String(text).startsWith("PUT /system/functions") ? "404 Not Found" : "202 Accepted";
        socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      });
      socket.on("error", () => {});
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  });
  afterAll(() => new Promise((done) => server.close(done)));

  async function sentBy(file: string, ...args: string[]): Promise<string[]> {
    requests = [];
    const env = { PATH: process.env.PATH ?? "", HOME: bin, OPENFAAS_CONFIG: join(bin, "none"), OPENFAAS_URL: url };
    await runCommand(file, args, { cwd: join(folder, "work"), env, input: "in" });
    return requests.map((text) => text.replaceAll(url.slice(7), "HOST").replace(/faas-cli\/\S+/, "faas-cli/VERSION"));
  }

  const head = (line: string, type: string, length: number, agent = "faas-cli/VERSION") =>
    [
      `${line} HTTP/1.1`,
      "Host: HOST",
      `User-Agent: ${agent}`,
      `Content-Length: ${length}`,
      ...(agent === "faas-cli/VERSION" ? ["Authorization: Bearer"] : []),
      `Content-Type: ${type}`,
      "Accept-Encoding: gzip",
      "",
      "",
    ].join("\r\n");

  const deployment =
    '{"service":"uva-echo","image":"dynamos-echo:v1","namespace":"openfaas-fn","envProcess":"node index.js",' +
    '"envVars":{"exec_timeout":"10s","greeting":"hello \\u003cv1\\u003e"},"secrets":["approval-keys"],"labels":{},' +
    '"annotations":{"com.dynamos.party":"UVA","topic":"uva.echo"},"limits":{"memory":"1Gi","cpu":"1"},' +
    '"requests":{"memory":"128Mi"},"readOnlyRootFilesystem":true}';
  const secret = '{"name":"s","namespace":"n","value":"{\\"keys\\":[]}","rawValue":"ICB7ImtleXMiOltdfQo="}';
  const removal = '{"functionName":"uva-echo","namespace":"openfaas-fn"}';
  const agent = `faas-cli/VERSION (openfaas; linux; ${process.arch === "x64" ? "amd64" : process.arch})`;

  const cases: [string[], string[]][] = [
    [
      ["deploy", "--filter", "uva-*"],
      ["PUT", "POST"].map(
        (method) => head(`${method} /system/functions`, "application/json", deployment.length) + deployment,
      ),
    ],
    [
      ["remove", "-f", "stack.yml", "--filter", "uva-*"],
      [head("DELETE /system/functions", "application/json", removal.length) + removal],
    ],
    [
      ["secret", "create", "s", "--from-file", "keys", "-n", "n"],
      [head("POST /system/secrets", "application/json", secret.length) + secret],
    ],
    [
      ["invoke", "uva-echo", "--query", "b=1 2", "--query", "a=x"],
      [`${head("POST /function/uva-echo.openfaas-fn?a=x&b=1+2", "text/plain", 2, agent)}in`],
    ],
    [
      ["logs", "uva-echo", "--tail=false", "--lines=5"],
      [
        "GET /system/logs?follow=false&name=uva-echo&tail=5 HTTP/1.1\r\nHost: HOST\r\nUser-Agent: faas-cli/VERSION\r\n" +
          "Authorization: Bearer\r\nAccept-Encoding: gzip\r\n\r\n",
      ],
    ],
  ];

  it.each(cases)("sends for %j the bytes that faas-cli sends", async (args, expected) => {
    expect(await sentBy(join(bin, "faas-cli"), ...args)).toEqual(expected);
  });

  it.skipIf(real === undefined).each(cases)("and the real one sends for %j the same", async (args, expected) => {
    expect(await sentBy(real ?? "", ...args)).toEqual(expected);
  });
});
