/** A function that is replaced while it is called: no call fails, and nothing of the old one stays. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { type Gateway, startGateway } from "./start-gateway.ts";

/** Answers with its version and its process; slowly where the path says so. Ends as ours do: after its calls. */
const fixture = (version: string) => `
const { createServer } = require("node:http");
const server = createServer((request, response) => {
  if (request.url === "/say") console.error("said by ${version}");
  request.resume().on("end", () => setTimeout(() => response.end("${version} " + process.pid), Number(request.url.split("wait=")[1] ?? 2)));
});
server.keepAliveTimeout = 65_000;
server.listen(0, "127.0.0.1", () => {
  process.send({ event: "listening", port: server.address().port });
  process.send({ event: "ready" });
});
const stop = () => { server.close(() => process.exit(0)); server.closeIdleConnections(); };
process.on("SIGTERM", stop).on("disconnect", () => process.exit(0));
`;

let folder: string;
let gateway: Gateway;
const auth = { user: "admin", password: "secret" };
const authorization = `Basic ${Buffer.from("admin:secret").toString("base64")}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-replace-"));
  for (const version of ["v1", "v2"]) {
    await mkdir(join(folder, `echo@${version}`));
    await writeFile(join(folder, `echo@${version}/index.js`), fixture(version));
  }
  gateway = await startGateway({
    stack: { path: "stack.yml", functions: [], copy: [] },
    buildDir: folder,
    secretsDir: join(folder, "secrets"),
    port: 0,
    environmentFor: () => ({}),
    log: createMemoryLog(),
    auth,
  });
});
afterAll(async () => {
  await gateway?.stop();
  await rm(folder, { recursive: true, force: true });
});

function system(method: string, path: string, body?: unknown): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${gateway.url}/system/${path}`, {
    method,
    headers: { authorization },
    ...(body === undefined ? {} : { body: text }),
  });
}

const deployment = (tag: string, more: object = {}) => ({ service: "echo", image: `dynamos-echo:${tag}`, ...more });
const call = async (path = "") => {
  const answer = await fetch(`${gateway.url}/function/echo${path}`, { method: "POST", body: "x" });
  return `${answer.status} ${await answer.text()}`;
};

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("a function that is replaced", () => {
  it("loses no call of a stream that does not pause", async () => {
    expect((await system("POST", "functions", deployment("v1"))).status).toBe(200);
    const answers: string[] = [];
    let done = false;
    const caller = async () => {
      while (!done) answers.push(await call());
    };
    const callers = Array.from({ length: 8 }, caller);
    const replacements = ["v2", "v1", "v2", "v1", "v2", "v1"];
    for (const tag of replacements) {
      const before = answers.length;
      expect((await system("PUT", "functions", deployment(tag))).status).toBe(200);
      await expect.poll(() => answers.length).toBeGreaterThan(before + 20);
    }
    done = true;
    await Promise.all(callers);
    expect(answers.filter((answer) => !/^200 v[12] \d+$/.test(answer))).toEqual([]);
    const versions = new Set(answers.map((answer) => answer.slice(4)));
    expect(versions.size).toBe(replacements.length + 1);
    expect(await call()).toMatch(/^200 v1 /);
    const old = [...versions].map((version) => Number(version.split(" ")[1]));
    const now = Number((await call()).split(" ")[2]);
    // Those that were replaced end, once their calls have.
    await expect.poll(() => old.filter((pid) => pid !== now && isAlive(pid))).toEqual([]);
  });

  // Longer than a process that is told to stop is given.
  it("answers the call that was in hand, and the next one is the new one's already", async () => {
    await system("PUT", "functions", deployment("v1"));
    const inHand = call("/?wait=2500");
    await wait(200);
    await system("PUT", "functions", deployment("v2"));
    expect(await call()).toMatch(/^200 v2 /);
    expect(await inHand).toMatch(/^200 v1 /);
  });

  it("counts its calls on, and two replacements at once come one after the other", async () => {
    const count = async () =>
      ((await (await system("GET", "function/echo")).json()) as { invocationCount: number }).invocationCount;
    const before = await count();
    expect(before).toBeGreaterThan(0);
    const both = await Promise.all([
      system("PUT", "functions", deployment("v1")),
      system("PUT", "functions", deployment("v2")),
    ]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(await count()).toBe(before);
    expect(await call()).toMatch(/^200 v2 /);
  });

  it("that is removed answers the call that it has, and no further one", async () => {
    const inHand = call("/?wait=2500");
    await wait(200);
    expect((await system("DELETE", "functions", { functionName: "echo" })).status).toBe(200);
    expect(await call()).toMatch(/^404 /);
    expect(await inHand).toMatch(/^200 v2 /);
    expect((await system("DELETE", "functions", { functionName: "echo" })).status).toBe(404);
    expect((await system("PUT", "functions", deployment("v1"))).status).toBe(404);
  });
});

it("shows a log's next lines while its reader stays", async () => {
  await system("POST", "functions", deployment("v1"));
  const { body } = await system("GET", "logs?name=echo&follow=true");
  const reader = (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  await call("/say");
  const { value = "" } = await reader.read();
  expect(JSON.parse(value)).toMatchObject({ name: "echo", namespace: "openfaas-fn", text: "said by v1" });
  await reader.cancel();
});

describe("what can't be meant is refused, with the field that is wrong:", () => {
  it.each([
    ["POST", "functions", "{", 400, "the body is not JSON"],
    ["POST", "functions", "[]", 400, "the body: must be an object"],
    ["POST", "functions", {}, 400, 'service: "" is no name of a function'],
    ["POST", "functions", { service: "../echo", image: "x" }, 400, 'service: "../echo" is no name'],
    ["POST", "functions", { service: "x".repeat(64), image: "x" }, 400, "is no name of a function"],
    ["POST", "functions", { service: "other" }, 400, "image: is missing"],
    [
      "POST",
      "functions",
      { service: "other", image: "../../etc:v1" },
      400,
      "image ../../etc:v1: nothing of the name etc is built here",
    ],
    ["POST", "functions", { service: "other", image: "a b" }, 400, "image a b: is no name of an image"],
    ["POST", "functions", deployment("v1", { envVars: { a: 1 } }), 400, "envVars.a: must be text"],
    ["POST", "functions", deployment("v1", { envVars: { "a=b": "c" } }), 400, 'envVars: "a=b" is no name'],
    ["POST", "functions", deployment("v1", { envVars: { a: "\0" } }), 400, "envVars.a: must not hold a NUL"],
    ["POST", "functions", deployment("v1", { secrets: "approval-key" }), 400, "secrets: must be a list of texts"],
    ["POST", "functions", deployment("v1", { secrets: ["absent"] }), 400, "unable to find secret: absent"],
    [
      "POST",
      "functions",
      deployment("v1", { namespace: "kube-system" }),
      400,
      "namespace kube-system: there is only openfaas-fn here",
    ],
    [
      "PUT",
      "functions",
      deployment("v1", { envVars: { exec_timeout: "soon" } }),
      400,
      "exec_timeout of the function echo",
    ],
    ["POST", "functions", deployment("v1"), 409, "function echo already exists"],
    ["DELETE", "functions", {}, 400, "functionName: is missing"],
    ["PATCH", "functions", {}, 405, "method not allowed"],
    ["POST", "secrets", { name: "../x", value: "y" }, 400, "name: is no name of a secret"],
    ["POST", "secrets", { name: "a..b", value: "y" }, 400, "name: is no name of a secret"],
    ["POST", "secrets", { name: "a" }, 400, "value: is missing"],
    ["PUT", "secrets", { name: "absent", value: "y" }, 404, "error finding secret absent"],
    ["DELETE", "secrets", { name: "absent" }, 404, "error finding secret absent"],
    ["POST", "secrets", `{"name":"big","value":"${"x".repeat(3_200_000)}"}`, 413, "the body is over 3145728 bytes"],
    ["POST", "scale-function/echo", { replicas: -1 }, 400, "replicas: must be a whole number"],
    ["POST", "scale-function/absent", { replicas: 1 }, 404, "error finding function absent"],
    ["POST", "absent", {}, 404, "404 page not found"],
  ])("%s %s %j", async (method, path, body, status, text) => {
    const answer = await system(method, path, body);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(text)]);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
  });

  it("and leaves everything as it was", async () => {
    expect(await call()).toMatch(/^200 v1 /);
    expect(await (await system("GET", "secrets")).json()).toEqual([]);
    expect((await system("POST", "scale-function/echo", { serviceName: "echo", replicas: 5 })).status).toBe(202);
  });
});

it("takes no change from who has no password, or the wrong one", async () => {
  for (const headers of [{}, { authorization: "Basic YWRtaW46d3Jvbmc=" }]) {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const body = JSON.stringify(deployment("v2"));
      expect((await fetch(`${gateway.url}/system/functions`, { method, headers, body })).status).toBe(401);
      expect((await fetch(`${gateway.url}/system/secrets`, { method, headers, body })).status).toBe(401);
    }
  }
  expect(await call()).toMatch(/^200 v1 /);
});
