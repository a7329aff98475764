/** What a function's process and the watchdog in front of it do together: the same for of-watchdog and its stand-in. */
import { rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundlePlain } from "../started-plain.ts";
import { type StartedWatchdog, startWatchdog } from "./start-watchdog.ts";

/** By its path: what the call is to do. */
const handler = `
module.exports = async (event) => {
  const [, what, ms] = event.path.split("/");
  if (what === "wait") await new Promise((go) => setTimeout(go, Number(ms)));
  if (what === "bytes") return Buffer.alloc(Number(ms), 1);
  if (what === "size") return event.body.length;
  return { pid: process.pid, door: process.ppid, method: event.method, path: event.path, query: event.query };
};`;

/** Breaks off its answer, whose length it announces where the path says so; the process goes on. */
const halfAnswers = `
const { createServer } = require("node:http");
createServer((request, response) => {
  if (request.url === "/known") response.setHeader("content-length", 100);
  if (request.url === "/_/ready") return void response.end();
  response.write("half", () => response.destroy());
}).listen(Number(process.env.http_port));
`;

/** @param command the watchdog's program and arguments */
export function watchdogContract(name: string, command: () => readonly string[]): void {
  let folder: string;
  let shared: StartedWatchdog;
  const own: StartedWatchdog[] = [];
  const start = async (environment: Record<string, string> = {}) => {
    const started = await startWatchdog(command(), folder, environment);
    own.push(started);
    return started;
  };
  const doorOf = async ({ url }: StartedWatchdog) => ((await (await fetch(url)).json()) as { door: number }).door;

  beforeAll(async () => {
    folder = await bundlePlain({ "handler.js": handler });
    await writeFile(join(folder, "half.js"), halfAnswers);
    shared = await startWatchdog(command(), folder);
  }, 60_000);
  afterEach(() => Promise.all(own.splice(0).map((each) => each.stop())));
  afterAll(async () => {
    await shared?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  describe(`a function behind ${name}`, () => {
    it("is ready when it can be called, and not before", async () => {
      expect(shared.statuses.at(-1)).toBe(200);
      expect(shared.statuses.slice(0, -1).filter((status) => status === 200)).toEqual([]);
      expect((await fetch(`${shared.url}/_/health`)).status).toBe(200);
    });

    it("gets method, path and query, and answers with its status and headers", async () => {
      const response = await fetch(`${shared.url}/a/b?c=d`, { method: "DELETE" });
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
      expect(await response.json()).toMatchObject({ method: "DELETE", path: "/a/b", query: { c: "d" } });
    });

    it("takes and gives bodies of a megabyte", async () => {
      const body = new Uint8Array(1_048_576);
      const headers = { "content-type": "application/octet-stream" };
      expect(await (await fetch(`${shared.url}/size`, { method: "POST", headers, body })).json()).toBe(body.length);
      const answer = await fetch(`${shared.url}/bytes/3000000`);
      expect((await answer.arrayBuffer()).byteLength).toBe(3_000_000);
      const over = await fetch(shared.url, { method: "POST", headers, body: new Uint8Array(2 * 1_048_576) });
      expect(over.status).toBe(413);
    });

    it("keeps calls that come at once in processes of their own", async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, async () => (await (await fetch(shared.url)).json()) as { pid: number }),
      );
      expect(new Set(answers.map(({ pid }) => pid)).size).toBe(8);
    });

    it("answers 504 itself when its handler takes longer than exec_timeout", async () => {
      const { url } = await start({ exec_timeout: "1s" });
      const response = await fetch(`${url}/wait/20000`);
      expect([response.status, response.headers.get("content-type")]).toEqual([504, "application/problem+json"]);
    });

    it("is cut with 504 when the caller's X-Timeout is shorter, and goes on", async () => {
      const cut = await fetch(`${shared.url}/wait/20000`, { headers: { "x-timeout": "300ms" } });
      expect([cut.status, cut.headers.get("content-type"), await cut.text()]).toEqual([504, null, ""]);
      expect((await fetch(shared.url)).status).toBe(200);
    });

    it("has its broken answer ended as if it were whole, unless a length tells", async () => {
      const { url } = await start({ fprocess: `${process.execPath} half.js` });
      const answer = await fetch(`${url}/unknown`);
      expect([answer.status, await answer.text()]).toEqual([200, "half"]);
      await expect(fetch(`${url}/known`).then((known) => known.text())).rejects.toThrow();
    });

    it("gives no answer when write_timeout is shorter than its handler", async () => {
      const { url } = await start({ write_timeout: "300ms" });
      await expect(fetch(`${url}/wait/900`)).rejects.toThrow();
    });

    it("does not wait longer than read_timeout for a body that does not come", async () => {
      const { url } = await start({ read_timeout: "1s", exec_timeout: "60s" });
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      socket.write("POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nten bytes.");
      const said: Buffer[] = [];
      // Its end, which is not asked for.
      for await (const chunk of socket.on("error", () => socket.destroy())) said.push(chunk);
      expect(Buffer.concat(said).toString()).not.toContain(" 200 ");
      expect((await fetch(url)).status).toBe(200);
    }, 20_000);

    it("is called no more often at once than max_inflight says", async () => {
      const { url } = await start({ max_inflight: "1" });
      const first = fetch(`${url}/wait/1500`);
      await expect.poll(async () => (await fetch(`${url}/_/ready`)).status).toBe(429);
      expect((await fetch(url)).status).toBe(429);
      expect((await first).status).toBe(200);
      expect((await fetch(url)).status).toBe(200);
    });
  });

  describe(`the end of a function behind ${name}`, () => {
    it("waits for calls in flight, and for those that come before the gateway knows", async () => {
      const { url, child, exited } = await start();
      const inFlight = fetch(`${url}/wait/2000`);
      await new Promise((done) => setTimeout(done, 200));
      child.kill("SIGTERM");
      await expect.poll(async () => (await fetch(`${url}/_/health`)).status).toBe(503);
      expect((await fetch(url)).status).toBe(200);
      expect((await inFlight).status).toBe(200);
      expect(await exited).toBe(0);
    });

    it("takes the watchdog along when the function's process is killed", async () => {
      const started = await start();
      process.kill(await doorOf(started), "SIGKILL");
      expect(await started.exited).toBe(1);
    });

    it("takes the watchdog along when the function's process alone is told to stop", async () => {
      const started = await start({ healthcheck_interval: "100ms" });
      process.kill(await doorOf(started), "SIGTERM");
      expect(await started.exited).toBe(1);
    });

    it("goes unnoticed when a process ends with 0, which is why a function's does not", async () => {
      const started = await start({ fprocess: "true", ready_path: "" });
      await new Promise((done) => setTimeout(done, 300));
      expect((await fetch(`${started.url}/_/health`)).status).toBe(200);
      const failed = await fetch(started.url);
      expect([failed.status, failed.headers.get("content-type"), await failed.text()]).toEqual([500, null, ""]);
    });
  });
}
