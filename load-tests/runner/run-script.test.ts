/** The runner itself: scripts made for it, against a server made for it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LoadResult, runScript } from "./run-script.ts";

let folder: string;
let server: Server;
let url: string;
const seen: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-load-test-"));
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url === "/cut") return void request.socket.destroy();
    response.writeHead(request.url === "/busy" ? 503 : 200, { "retry-after": "7" });
    response.end(JSON.stringify({ parties: [{ name: "UVA" }, { name: "VU" }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const imports = `import http from "k6/http"; import exec from "k6/execution"; import { check, fail, group, sleep } from "k6";
import { Counter, Gauge, Rate, Trend } from "k6/metrics"; import { SharedArray } from "k6/data";`;
const once = `scenarios: { one: { executor: "shared-iterations", vus: 1, iterations: 1 } }`;

async function run(text: string): Promise<LoadResult & { logged: string[] }> {
  const script = join(folder, "script.ts");
  await writeFile(script, `${imports}\n${text}`);
  const logged: string[] = [];
  const log = (level: string, line: string) => void logged.push(`${level} ${line}`);
  return { ...(await runScript({ script, environment: { URL: url }, log })), logged };
}

function sampleOf({ metrics }: LoadResult, name: string) {
  return metrics.get(name)?.samples ?? [];
}

describe("the runner", () => {
  it("waits for answers as k6 does, and has their status, header, body and JSON", async () => {
    const result = await run(`export const options = { ${once}, thresholds: { checks: ["rate==1"] } };
      export default function () {
        const r = http.post(__ENV.URL + "/busy", "{}", { tags: { name: "busy" } });
        check(r, {
          status: (r) => r.status === 503, header: (r) => r.headers["Retry-After"] === "7",
          json: (r) => r.json("parties.1.name") === "VU", many: (r) => r.json("parties.#.name").join() === "UVA,VU",
        });
        console.log("status", r.status);
      }`);
    expect(result).toMatchObject({ passed: true, errors: [], logged: ["log status 503"] });
    expect(sampleOf(result, "checks")).toHaveLength(4);
    expect(sampleOf(result, "http_req_failed")[0]).toMatchObject({
      value: 1,
      tags: { name: "busy", method: "POST", status: "503", expected_response: "false", scenario: "one" },
    });
  });

  it("gives status 0 and a reason where there is no answer", async () => {
    const result = await run(`export const options = { ${once} };
      export default function () {
        const r = http.get(__ENV.URL + "/cut");
        check(r, { "no answer": (r) => r.status === 0 && r.body === null && r.error !== "" });
      }`);
    expect(sampleOf(result, "checks").map(({ value }) => value)).toEqual([1]);
  });

  it("hands what setup gives to each iteration and to teardown, once each", async () => {
    seen.length = 0;
    const result = await run(`export const options = { scenarios: {
        shared: { executor: "shared-iterations", vus: 2, iterations: 5, exec: "work" },
        own: { executor: "per-vu-iterations", vus: 2, iterations: 3, exec: "work" } } };
      export function setup() { http.get(__ENV.URL + "/setup"); return { path: "/work" }; }
      export function work({ path }) { http.get(__ENV.URL + path + "/" + exec.scenario.name + exec.scenario.iterationInTest); }
      export function teardown({ path }) { http.del(__ENV.URL + path); }`);
    expect(result.passed).toBe(true);
    expect(seen[0]).toBe("GET /setup");
    expect(seen.at(-1)).toBe("DELETE /work");
    const expected = [...Array(5).keys()].map((i) => `shared${i}`).concat([...Array(6).keys()].map((i) => `own${i}`));
    expect(seen.slice(1, -1).sort()).toEqual(expected.map((name) => `GET /work/${name}`).sort());
    expect(sampleOf(result, "iterations")).toHaveLength(11);
  });

  it("counts an arrival for which nobody is free", async () => {
    const result = await run(`export const options = { scenarios: { crowd: { executor: "constant-arrival-rate",
        rate: 10, timeUnit: "1s", duration: "1s", preAllocatedVUs: 1 } }, thresholds: { dropped_iterations: ["count==0"] } };
      export default function () { sleep(0.6); }`);
    expect(result.passed).toBe(false);
    const [done, dropped] = [sampleOf(result, "iterations").length, sampleOf(result, "dropped_iterations").length];
    expect(done + dropped).toBe(10);
    expect(dropped).toBeGreaterThan(0);
  });

  it("keeps what own metrics are given, with their tags", async () => {
    const result =
      await run(`const c = new Counter("c"), g = new Gauge("g"), r = new Rate("r"), t = new Trend("t", true);
      const shared = new SharedArray("s", () => [1, 2]);
      export const options = { ${once}, thresholds: { "c{part:a}": ["count==3"], g: ["value==4"], r: ["rate==0.5"], t: ["max<9"] } };
      export default function () {
        c.add(3, { part: "a" }); c.add(5, { part: "b" }); g.add(1); g.add(4); r.add(true); r.add(0); t.add(shared.length);
        group("outer", () => group("inner", () => t.add(1)));
      }`);
    expect(result.passed).toBe(true);
    expect(sampleOf(result, "t").map(({ tags }) => tags.group)).toEqual(["", "::outer::inner"]);
  });

  it.each([
    ["throws", `fail("it is enough")`, "one: it is enough"],
    ["adds no number to a metric", `http.c.add("x")`, "one: Cannot read"],
    ["sends what the runner can't", "http.post(__ENV.URL, {a: 1})", "one: the runner sends text only"],
  ])("does not pass where an iteration %s", async (_, body, error) => {
    const result = await run(`export const options = { ${once} }; export default function () { ${body} }`);
    expect(result.passed).toBe(false);
    expect(result.errors.join()).toContain(error);
  });

  it.each([
    ["asks in the init context", "http.get(__ENV.URL);", "not for the init context"],
    ["has a threshold about nothing", "", "there is no such metric"],
    ["needs a module that the runner has not", `import ws from "k6/ws"; ws;`, "k6/ws"],
    ["is no script", "}{", "Unexpected"],
    ["throws in setup", `export function setup() { fail("not ready"); }`, "not ready"],
  ])("refuses a script that %s", async (what, text, message) => {
    const thresholds = what.includes("threshold") ? `, thresholds: { nothing: ["count==0"] }` : "";
    await expect(
      run(`${text} export const options = { ${once}${thresholds} }; export default () => {};`),
    ).rejects.toThrow(message);
  });
});
