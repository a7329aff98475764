import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addQueryCommand } from "./query.ts";

let folder: string;
let server: Server;
let asked: unknown[];
let gateway: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "query-"));
  asked = [];
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push(JSON.parse(body));
    response.setHeader("x-query-complete", "true");
    response.end(JSON.stringify({ results: [], archetypes: [], refused: [], failed: [] }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  process.exitCode = 0;
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true, force: true });
});

function query(...args: string[]): Promise<unknown> {
  const program = new Command().exitOverride();
  addQueryCommand(program);
  const all = ["query", "--providers", "UVA", "--gateway", gateway, "--token", "t", ...args];
  return program.parseAsync(all, { from: "user" });
}

describe("dynamos query says what is wrong, and asks nobody, when", () => {
  it.each([
    [
      "the file with the SQL is not there",
      ["--sql", "@/nowhere/q.sql"],
      "--sql @/nowhere/q.sql: the file can't be read: there is no such file",
    ],
    ["the file with the SQL is a folder", ["--sql", "@/"], "--sql @/: the file can't be read: this is a folder"],
    [
      "the chart's folder is not there",
      ["--sql", "SELECT 1", "--chart", "/nowhere/c.svg"],
      "--chart /nowhere/c.svg: the file can't be written: there is no such folder",
    ],
    [
      "a column has no algorithm",
      ["--sql", "SELECT 1", "--column", "a"],
      "--column is for an algorithm: name one with --algorithm, e.g. --algorithm average",
    ],
    [
      "a grouping has no algorithm",
      ["--sql", "SELECT 1", "--group-by", "a"],
      "--group-by is for an algorithm: name one with --algorithm, e.g. --algorithm average",
    ],
  ])("%s", async (_, args, message) => {
    await expect(query(...args)).rejects.toThrow(message);
    expect(asked).toEqual([]);
  });
});

it("dynamos query leaves no file behind for a chart that the answer does not have", async () => {
  await query("--sql", "SELECT 1", "--chart", join(folder, "c.svg"));
  expect(asked).toHaveLength(1);
  expect(await readdir(folder)).toEqual([]);
});
