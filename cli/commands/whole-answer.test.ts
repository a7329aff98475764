/** What our own readers make of an answer that broke off, or that is not the orchestrator's. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { downloadRows } from "../bench/download-rows.ts";
import { ask } from "./ask.ts";

let server: Server;
let orchestrator: { gatewayUrl: string; token: string };
let given: { status?: number; headers: Record<string, string>; body: string; cut?: boolean };

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume().once("end", () => {
      response.writeHead(given.status ?? 200, given.headers);
      response.write(given.body || " ", () => (given.cut ? response.destroy() : response.end()));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  orchestrator = { gatewayUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "t" };
});
afterEach(() => server.closeAllConnections());
afterAll(() => new Promise((done) => server.close(done)));

const query = { providers: ["UVA"], sql: "SELECT 1" };
const rows = (count: number) => '{"id":1}\n'.repeat(count);
const complete = { "x-query-complete": "true" };

it("a download gives every row of a whole answer", async () => {
  given = { headers: { ...complete, "x-query-rows": "3000" }, body: rows(3_000) };
  expect(await downloadRows(orchestrator, query)).toMatchObject({ rows: 3_000, idSum: 3_000 });
});

it.each([
  ["at the end of a row", rows(1_200), false],
  ["in the middle of one", `${rows(1_200)}{"id":`, false],
  ["and its connection with it", rows(1_200), true],
])("a download that breaks off %s says how much came", async (_, body, cut) => {
  given = { headers: { ...complete, "x-query-rows": "3000" }, body, cut };
  await expect(downloadRows(orchestrator, query)).rejects.toThrow(
    /^the answer broke off: [\d,]+ of 3,000 rows came; ask again$/,
  );
});

it("a download lacks the end of its last row alone", async () => {
  given = { headers: { ...complete, "x-query-rows": "2" }, body: rows(2).slice(0, -1) };
  await expect(downloadRows(orchestrator, query)).rejects.toThrow("1 of 2 rows came");
});

it.each([
  ["has none of the orchestrator's headers", {}, "without x-query-complete"],
  ["does not say how many rows it has", complete, "without x-query-rows"],
  ["lacks a provider", { "x-query-complete": "false", "x-query-rows": "1" }, "a provider failed"],
])("a download is refused that %s", async (_, headers, message) => {
  given = { headers, body: rows(1) };
  await expect(downloadRows(orchestrator, query)).rejects.toThrow(message);
});

it("a download that is an error says so", async () => {
  given = { status: 504, headers: {}, body: "late" };
  await expect(downloadRows(orchestrator, query)).rejects.toThrow("504: late");
});

it.each([
  ["that breaks off", complete, '{"results":[', "its JSON has no end after 12 characters; ask again"],
  ["of somebody else", {}, "{}", "without x-query-complete"],
  ["that is no JSON", {}, "", "is it an OpenFaaS gateway?"],
])("a question is not answered by a document %s", async (_, headers, body, message) => {
  given = { headers, body };
  await expect(ask(orchestrator, query)).rejects.toThrow(message);
});

it("a question whose connection is cut says that the answer broke off", async () => {
  given = { headers: complete, body: '{"results":[', cut: true };
  await expect(ask(orchestrator, query)).rejects.toThrow("broke off; ask again");
});
