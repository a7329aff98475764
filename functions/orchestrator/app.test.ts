import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { type Envelope, ErrorCode, type Outcome } from "#contracts";
import { limits } from "#domain/limits";
import { fail, forwardResult } from "#domain/outcome";
import type { Step } from "#runtime/define-step";
import { openTokens, type Tokens } from "#testing/tokens";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../archetype-selector/handler.ts";
import policyEnforcer from "../policy-enforcer/handler.ts";
import { type App, createApp } from "./app.ts";

let tokens: Tokens;
/** Of one who may do everything that these tests do. */
let bearer: { authorization: string };
let world: World;
let app: App;
let query: (envelope: Envelope) => Outcome | Promise<Outcome>;

const text = (value: string): Outcome =>
  forwardResult({
    table: undefined,
    chart: undefined,
    document: { mediaType: "text/plain", body: Buffer.from(value) },
  });

const fakeQuery: Step = {
  name: "sql-query",
  isolation: "shared",
  accepts: "nothing",
  facts: (envelope) => query(envelope),
  decide: (_, outcome: Outcome) => outcome,
};
const pass: Step = {
  name: "sql-algorithm",
  isolation: "shared",
  accepts: "result",
  facts: () => undefined,
  decide: ({ inputs }) => ({
    decision: { $case: "forward", value: { payload: inputs[0]?.payload, dataRevision: "" } },
  }),
};

beforeAll(async () => {
  tokens = await openTokens();
  bearer = await tokens.headerOf({ roles: ["researcher", "steward", "operator"], party: "VU" });
});
afterAll(() => tokens.remove());

beforeEach(async () => {
  query = (envelope) => text(`of ${envelope.party}`);
  world = await openWorld({
    documents: [
      ...demoDocuments,
      {
        key: "/dataSets/VU/wageGap",
        value: { name: "wageGap", party: "VU", type: "csv", tables: [{ name: "Personen", file: "Personen_VU.csv" }] },
      },
    ],
    steps: { exchange: [policyEnforcer, archetypeSelector], VU: [fakeQuery, pass] },
  });
  app = createApp({ api: world.api, exchangeParty: "exchange", log: createMemoryLog(), verify: tokens.verify });
});

afterEach(async () => {
  await app.close();
  await world.close();
});

const body = { providers: ["VU"], sql: "SELECT 1" };

function send(method: string, path: string, content?: unknown, headers: Record<string, string> = {}) {
  return app.fetch(
    new Request(`http://orchestrator${path}`, {
      method,
      headers: { ...bearer, ...(content === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(content === undefined
        ? {}
        : { body: typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content) }),
    }),
  );
}

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts.
type Json = any;

async function problemOf(response: Response | Promise<Response>): Promise<Json> {
  const settled = await response;
  expect(settled.headers.get("content-type")).toBe("application/problem+json");
  return settled.json();
}

async function jsonOf(response: Response | Promise<Response>): Promise<Json> {
  return (await response).json();
}

describe("POST /v1/queries", () => {
  it("answers with results, archetype, plan and timings", async () => {
    const response = await send("POST", "/v1/queries", body);
    expect(response.status).toBe(200);
    expect(response.headers.get("server-timing")).toMatch(/^auth;dur=[\d.]+, body;dur=[\d.]+, query;dur=[\d.]+$/);
    expect(await response.json()).toMatchObject({
      status: "answered",
      complete: true,
      results: [{ party: "VU", archetype: "computeToData", document: { content: "of VU" } }],
      archetypes: [{ archetype: "computeToData", rule: "weight" }],
      verdicts: [{ provider: "VU", allowed: true, agreementRevision: expect.any(Number), dataSets: ["wageGap"] }],
      plan: [{ party: "VU", role: "all", steps: ["sql-query", "sql-algorithm"] }],
      timings: {
        hops: [
          { step: "policy-enforcer" },
          { step: "archetype-selector" },
          { step: "sql-query" },
          { step: "sql-algorithm" },
        ],
      },
    });
  });

  it.each([
    ["broken JSON", "{", {}, 400, "INVALID_REQUEST"],
    ["a wrong content type", "{}", { "content-type": "text/plain" }, 415, "UNSUPPORTED_MEDIA_TYPE"],
    ["a body of 10 MB", JSON.stringify({ ...body, sql: "x".repeat(10_000_000) }), {}, 413, "BODY_TOO_LARGE"],
    ["an empty body", "", {}, 400, "INVALID_REQUEST"],
    ["a body that is not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), {}, 400, "INVALID_REQUEST"],
  ])("refuses %s by name", async (_, content, headers, status, code) => {
    const problem = await problemOf(send("POST", "/v1/queries", content, headers as Record<string, string>));
    expect(problem).toMatchObject({ status, code });
  });

  it("names every field that is wrong", async () => {
    const problem = await problemOf(send("POST", "/v1/queries", { ...body, providers: [], sqll: "x" }));
    expect(problem).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    expect(problem.errors.map(({ path }: { path: string }) => path)).toEqual(["", "/providers"]);
  });

  it("says which option is not known", async () => {
    const problem = await problemOf(send("POST", "/v1/queries", { ...body, options: { anonymise: true } }));
    expect(problem).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    expect(problem.detail).toContain("anonymise");
    expect(problem.detail).toContain("anonymize");
  });

  it("carries the status of what failed, never an empty 200", async () => {
    query = () => fail(ErrorCode.UNKNOWN_TABLE, "there is no table Persona");
    const problem = await problemOf(send("POST", "/v1/queries", body));
    expect(problem).toMatchObject({ status: 400, code: "UNKNOWN_TABLE", queryStatus: "failed" });
    expect(problem.detail).toBe("VU sql-query: there is no table Persona");
  });
});

describe("an asynchronous query", () => {
  it("gives 202 with a location that leads to its status and its result", async () => {
    const accepted = await send("POST", "/v1/queries", body, { prefer: "respond-async" });
    expect(accepted.status).toBe(202);
    const location = accepted.headers.get("location") ?? "";
    const path = new URL(location, "http://orchestrator/v1/queries").pathname;
    await expect.poll(async () => (await jsonOf(send("GET", path))).status).toBe("answered");
    const result = await send("GET", `${path}/result`);
    expect(await result.json()).toMatchObject({ results: [{ party: "VU" }] });
  });

  it("can be cancelled while it runs", async () => {
    query = () => new Promise(() => {});
    const { id } = await jsonOf(send("POST", "/v1/queries", body, { prefer: "respond-async" }));
    expect((await send("GET", `/v1/queries/${id}/result`)).status).toBe(202);
    expect((await send("DELETE", `/v1/queries/${id}`)).status).toBe(202);
    await expect.poll(async () => (await jsonOf(send("GET", `/v1/queries/${id}`))).status).toBe("cancelled");
    expect(await problemOf(send("GET", `/v1/queries/${id}/result`))).toMatchObject({ status: 409, code: "CANCELLED" });
  });

  it("that nobody knows is 404", async () => {
    expect(await problemOf(send("GET", "/v1/queries/nope"))).toMatchObject({ status: 404, code: "NOT_FOUND" });
  });
});

describe("documents", () => {
  it("are read with an ETag and replaced only over the revision that was read", async () => {
    const read = await send("GET", "/v1/agreements/VU");
    const etag = read.headers.get("etag") ?? "";
    const agreement = await jsonOf(read);
    expect((await send("GET", "/v1/agreements/VU", undefined, { "if-none-match": etag })).status).toBe(304);
    const put = await send("PUT", "/v1/agreements/VU", { ...agreement, archetypes: [] }, { "if-match": etag });
    expect(put.status).toBe(200);
    expect(put.headers.get("etag")).not.toBe(etag);
    const late = await problemOf(send("PUT", "/v1/agreements/VU", agreement, { "if-match": etag }));
    expect(late).toMatchObject({ status: 412, code: "REVISION_CONFLICT" });
  });

  it("take a list of tags, of which one must be there now, and never a weak one", async () => {
    const read = await send("GET", "/v1/agreements/VU");
    const etag = read.headers.get("etag") ?? "";
    const agreement = await jsonOf(read);
    expect((await send("GET", "/v1/agreements/VU", undefined, { "if-none-match": `"x", W/${etag}` })).status).toBe(304);
    const weak = await problemOf(send("PUT", "/v1/agreements/VU", agreement, { "if-match": `W/${etag}` }));
    expect(weak).toMatchObject({ status: 412, code: "REVISION_CONFLICT" });
    expect(await problemOf(send("PUT", "/v1/agreements/VU", agreement, { "if-match": "7" }))).toMatchObject({
      status: 400,
      code: "INVALID_REQUEST",
    });
    const listed = await send("PUT", "/v1/agreements/VU", agreement, { "if-match": `"0", ${etag}` });
    expect(listed.status).toBe(200);
    expect((await send("PUT", "/v1/agreements/VU", agreement, { "if-match": "*" })).status).toBe(428);
    const absent = await send(
      "PUT",
      "/v1/steps/new",
      { name: "new", label: "dataProvider", allowedOutputs: [] },
      { "if-match": etag },
    );
    expect(absent.status).toBe(412);
  });

  it("take effect on the next query", async () => {
    const etag = (await send("GET", "/v1/agreements/VU")).headers.get("etag") ?? "";
    const put = await send("PUT", "/v1/agreements/VU", { name: "VU", relations: {} }, { "if-match": etag });
    expect(put.status).toBe(200);
    await expect.poll(async () => (await send("POST", "/v1/queries", body)).status).toBe(403);
  });

  it("are stored only when valid as a whole", async () => {
    const problem = await problemOf(
      send("PUT", "/v1/agreements/VU", { name: "VU", relations: { a: { dataSets: [1] } } }),
    );
    expect(problem).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    expect(problem.errors).toContainEqual({ path: "/relations/a/dataSets/0", message: "must be string" });
    expect(await problemOf(send("PUT", "/v1/agreements/VU", { name: "UVA", relations: {} }))).toMatchObject({
      errors: [{ path: "/name" }],
    });
  });

  it.each(["archetypes/computeToData", "request-types/sqlDataRequest", "steps/sql-query"])(
    "%s can be read and put back",
    async (path) => {
      const read = await send("GET", `/v1/${path}`);
      const put = await send("PUT", `/v1/${path}`, await read.json(), { "if-match": read.headers.get("etag") ?? "" });
      expect(put.status).toBe(200);
    },
  );
});

describe("the rest", () => {
  it("lists the parties with who is online", async () => {
    const parties = await jsonOf(send("GET", "/v1/parties"));
    expect(parties).toContainEqual({ name: "VU", roles: ["dataProvider"], online: true });
    expect(parties).toContainEqual({ name: "UVA", roles: ["dataProvider"], online: false });
  });

  it("shows the catalogue without file names", async () => {
    const catalogue = await jsonOf(send("GET", "/v1/catalogue"));
    expect(catalogue.dataSets).toMatchObject([{ name: "wageGap", party: "VU", tables: [{ name: "Personen" }] }]);
    expect(JSON.stringify(catalogue)).not.toContain("csv");
  });

  it("tells a wrong path from a wrong method", async () => {
    expect(await problemOf(send("GET", "/v2"))).toMatchObject({ status: 404 });
    const wrong = await send("PATCH", "/v1/queries", body);
    expect(wrong.headers.get("allow")).toContain("POST");
    expect(await problemOf(wrong)).toMatchObject({ status: 405, code: "METHOD_NOT_ALLOWED" });
  });

  it("is healthy while its sidecar is", async () => {
    expect((await send("GET", "/healthz")).status).toBe(200);
  });
});

it("reads so many bodies of those who ask and no more, whatever they ask, and a steward's change all the same", async () => {
  const senders: ReadableStreamDefaultController<Uint8Array>[] = [];
  const slow = (path: string) =>
    app.fetch(
      new Request(`http://orchestrator${path}`, {
        method: "POST",
        headers: { ...bearer, "content-type": "application/json" },
        body: new ReadableStream<Uint8Array>({ start: (controller) => void senders.push(controller) }),
        duplex: "half",
      } as RequestInit),
    );
  const paths = ["/v1/queries", "/v1/jobs", "/v1/policy/explain", "/v1/policy/diff"];
  const held = Array.from({ length: limits.bodiesReadAtOnceMax }, (_, i) => slow(paths[i % paths.length] ?? ""));
  await expect.poll(async () => (await send("POST", "/v1/queries", body)).status).toBe(503);
  for (const path of paths) expect((await send("POST", path, body)).status, path).toBe(503);
  const agreement = await send("GET", "/v1/agreements/VU");
  const precondition = { "if-match": agreement.headers.get("etag") ?? "" };
  expect((await send("PUT", "/v1/agreements/VU", await agreement.json(), precondition)).status).toBe(200);
  for (const sender of senders) sender.error(new Error("left"));
  await Promise.all(held);
  expect((await send("POST", "/v1/queries", body)).status).toBe(200);
});
