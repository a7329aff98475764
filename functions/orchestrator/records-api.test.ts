import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { isSignedBy, recordDigest } from "#adapters/system/record-crypto";
import { Verification } from "#domain/audit/verification";
import { type HttpDoor, openHttpDoor } from "#runtime/http-door";
import { connectSidecar, type SidecarApi } from "#sidecar/client";
import { type GrpcServer, serveSidecar } from "#sidecar/grpc-server";
import type { Sidecar } from "#sidecar/start-sidecar";
import { openTokens, type Tokens } from "#testing/tokens";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../archetype-selector/handler.ts";
import policyEnforcer from "../policy-enforcer/handler.ts";
import { type App, createApp } from "./app.ts";
import { listenerOf } from "./listener.ts";

let tokens: Tokens;
let world: World;
let server: GrpcServer;
let api: SidecarApi;
let app: App;

beforeEach(async () => {
  tokens = await openTokens();
  world = await openWorld({ documents: demoDocuments, steps: { exchange: [policyEnforcer, archetypeSelector] } });
  server = await serveSidecar(world.sidecars.get("exchange") as Sidecar, "127.0.0.1:0");
  api = connectSidecar(server.address);
  app = createApp({ api, exchangeParty: "exchange", log: createMemoryLog(), verify: tokens.verify });
});

afterEach(async () => {
  await app.close();
  api.close();
  await server.stop();
  await world.close();
  await tokens.remove();
});

async function get(path: string, role: string): Promise<Response> {
  const headers = await tokens.headerOf({ roles: [role], ...(role === "steward" ? { party: "UVA" } : {}) });
  return app.fetch(new Request(`http://orchestrator${path}`, { headers }));
}

async function asked(): Promise<string> {
  const { body } = await world.ask({
    providers: ["UVA"],
    sql: "SELECT 1",
    user: { id: "", name: "nobody@example.org" },
  });
  return String(body.queryId ?? body.id);
}

it("gives an auditor one query's records as JSON lines that can be verified", async () => {
  await asked();
  const queryId = await asked();
  const answer = await get(`/v1/records?query=${queryId}`, "auditor");
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = (await answer.text()).trim().split("\n");
  const records = lines.map((line) => JSON.parse(line));
  expect(records.map(({ kind }) => kind)).toEqual(["genesis", "step", "decision", "refusal"]);
  expect(new Set(records.slice(1).map((record) => record.queryId))).toEqual(new Set([queryId]));
  const verification = new Verification({ digest: recordDigest, isSignedBy, isSelection: true });
  for (const [index, text] of lines.entries()) verification.take({ file: "", line: index + 1, text });
  expect(verification.end()).toMatchObject({ records: 4, problems: [] });
});

it("gives all of them without a query, from the first one on", async () => {
  await asked();
  const answer = await get("/v1/records", "auditor");
  const seqs = (await answer.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).seq);
  expect(seqs).toEqual(
    Array.from({ length: world.records.get("exchange")?.lines.length ?? 0 }, (_, index) => index + 1),
  );
});

describe("over HTTP", () => {
  let recorded: string[];
  let door: HttpDoor;
  beforeEach(async () => {
    await app.close();
    const readRecords = async function* () {
      yield* recorded;
    };
    app = createApp({
      api: { ...api, readRecords },
      exchangeParty: "exchange",
      log: createMemoryLog(),
      verify: tokens.verify,
    });
    door = await openHttpDoor({ host: "127.0.0.1", port: 0, listener: listenerOf(app.fetch), isReady: () => true });
  });
  afterEach(() => door.drain(0));

  it.each([
    ["a few records have a length, so that a cut shows", 10, true],
    ["more than are held are sent as they are read, each once and in order", 3_000, false],
  ])("%s", async (_, count, hasLength) => {
    recorded = Array.from({ length: count }, (_, seq) => JSON.stringify({ seq, text: "x".repeat(500) }));
    const headers = await tokens.headerOf({ roles: ["auditor"] });
    const answer = await fetch(`http://127.0.0.1:${door.port}/v1/records`, { headers });
    expect(answer.headers.has("content-length")).toBe(hasLength);
    expect(await answer.text()).toBe(recorded.map((line) => `${line}\n`).join(""));
  });
});

it("says 404 of a query that nobody asked", async () => {
  const answer = await get("/v1/records?query=none", "auditor");
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ code: "NOT_FOUND" });
});

it.each(["researcher", "steward", "operator"])("is not for a %s", async (role) => {
  expect((await get("/v1/records", role)).status).toBe(403);
});
