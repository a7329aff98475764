/** Who asks, over real HTTP: with no token, another's, too often; and what of others they get to see. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog, type MemoryLog } from "#adapters/memory/log";
import { systemClock } from "#adapters/system/clock";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Knowledge } from "#ports/knowledge";
import { type AnsweringSidecar, answeringSidecar } from "#testing/answering-sidecar";
import { openTokens, type Tokens } from "#testing/tokens";
import { type App, createApp } from "./app.ts";
import { listenerOf } from "./listener.ts";
import type { TokenVerifier } from "./token.ts";

let tokens: Tokens;
let sidecar: AnsweringSidecar;
let knowledge: Knowledge;
let log: MemoryLog;
let app: App;
let server: Server;
let base: string;

async function open(requestsPerMinute = 1_000, verify: TokenVerifier = tokens.verify): Promise<void> {
  app = createApp({ api: sidecar, exchangeParty: "exchange", log, verify, requestsPerMinute });
  server = createServer(listenerOf(app.fetch)).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(): Promise<void> {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await app.close();
}

beforeEach(async () => {
  tokens = await openTokens();
  knowledge = createMemoryKnowledge({ clock: systemClock });
  sidecar = Object.assign(answeringSidecar(), {
    get: (key: string) => knowledge.get(key),
    list: (prefix: string) => knowledge.list(prefix),
    put: (...change: Parameters<Knowledge["put"]>) => knowledge.put(...change),
    delete: (...change: Parameters<Knowledge["delete"]>) => knowledge.delete(...change),
  });
  sidecar.answers = { UVA: {} };
  log = createMemoryLog();
  await open();
});
afterEach(async () => {
  await close();
  await knowledge.close();
  await tokens.remove();
});

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts.
type Json = any;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

async function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  content?: unknown,
): Promise<Answer> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { ...(content === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

const query = { providers: ["UVA"], sql: "SELECT 1" };
const ada = () => tokens.headerOf({ user: "ada@example.org" });
const bob = () => tokens.headerOf({ user: "bob@example.org" });

describe("a request without a token that counts", () => {
  it.each([
    "/v1/queries/x",
    "/v1/agreements",
    "/v1/catalogue",
    "/v2",
    "/",
    "/healthz/",
    "/HEALTHZ",
    "/healthz/../v1/parties",
  ])("for %s is 401 and told what is needed", async (path) => {
    const { status, headers, body } = await send("GET", path);
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toBe('Bearer realm="dynamos"');
    expect(body).toMatchObject({ code: "UNAUTHENTICATED", status: 401 });
  });

  it("is answered for /healthz alone", async () => {
    expect((await send("GET", "/healthz")).status).toBe(200);
  });

  it.each(["?access_token=", "?token=", "?authorization=Bearer%20", "?"])(
    "but with one in the address (%s) is 401",
    async (prefix) => {
      const { status } = await send("GET", `/v1/parties${prefix}${await tokens.tokenOf()}`);
      expect(status).toBe(401);
    },
  );

  it("but with one in the body, a cookie or another header is 401", async () => {
    const token = await tokens.tokenOf();
    const headers = {
      cookie: `access_token=${token}`,
      "x-authorization": `Bearer ${token}`,
      "x-forwarded-user": "ada",
    };
    expect((await send("POST", "/v1/queries", headers, { ...query, access_token: token })).status).toBe(401);
  });

  it.each([
    ["Basic YTpi", 401],
    ["Bearerx abc", 401],
    ["Token abc", 401],
    ["Bearer", 400],
    ["Bearer ", 400],
    ["Bearer a b", 400],
    ["Bearer a, Bearer b", 400],
    ["Bearer =", 400],
    ['Bearer "abc"', 400],
    ["Bearer abc", 401],
    ["bearer abc", 401],
  ])("%j is %i", async (authorization, status) => {
    const answer = await send("GET", "/v1/parties", { authorization });
    expect(answer.status).toBe(status);
    const wwwAuthenticate = answer.headers.get("www-authenticate") ?? "";
    expect(wwwAuthenticate).toMatch(
      /^Bearer realm="dynamos"(, error="(invalid_request|invalid_token)", error_description="[^"\\]+")?$/,
    );
    expect(wwwAuthenticate.includes("invalid_request")).toBe(status === 400);
  });

  it("is told why its token is refused, and neither answer nor log holds it", async () => {
    const [header, , signature] = (await tokens.tokenOf()).split(".");
    const payload = Buffer.from(JSON.stringify({ sub: "eve-4711" })).toString("base64url");
    const { status, headers, body } = await send("GET", "/v1/parties", {
      authorization: `Bearer ${header}.${payload}.${signature}`,
    });
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toBe(
      'Bearer realm="dynamos", error="invalid_token", error_description="the token\'s signature does not hold"',
    );
    const told = JSON.stringify([body, log.lines]);
    for (const secret of [header, payload, signature, "eve-4711"]) expect(told).not.toContain(secret);
    expect(log.lines).toMatchObject([{ level: "info", fields: { reason: "the token's signature does not hold" } }]);
  });

  it("since its header came twice is 400, whichever of them is right", async () => {
    const right = `authorization: Bearer ${await tokens.tokenOf()}`;
    const wrong = "authorization: Bearer abc";
    for (const lines of [
      [right, wrong],
      [wrong, right],
      [right, right],
    ]) {
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").setEncoding("utf8");
      socket.write(["GET /v1/parties HTTP/1.1", "host: h", ...lines, "connection: close", "", ""].join("\r\n"));
      let answer = "";
      socket.on("data", (text) => {
        answer += text;
      });
      await once(socket, "close");
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    }
  });

  it("since nobody can say whether it counts is 503 with Retry-After", async () => {
    await close();
    await open(10, () => Promise.reject(new DynamosError(ErrorCode.KEYS_UNAVAILABLE, "no keys now")));
    const { status, headers, body } = await send("GET", "/v1/parties", await ada());
    expect([status, body.code, headers.get("retry-after")]).toEqual([503, "KEYS_UNAVAILABLE", "1"]);
    expect(headers.get("www-authenticate")).toBeNull();
    expect(log.lines).toMatchObject([{ level: "warn", fields: { reason: "no keys now" } }]);
  });
});

describe("a caller", () => {
  it("is the token's user, whatever the body says", async () => {
    const users: unknown[] = [];
    const { request } = sidecar;
    sidecar.request = (envelope, signal) => {
      users.push(envelope.query?.user);
      return request(envelope, signal);
    };
    const named = { ...query, user: { name: "ada@example.org" } };
    expect((await send("POST", "/v1/queries", await ada(), query)).status).toBe(200);
    expect((await send("POST", "/v1/queries", await ada(), named)).status).toBe(200);
    const refused = await send("POST", "/v1/queries", await bob(), named);
    expect(refused).toMatchObject({
      status: 403,
      body: { code: "FORBIDDEN", detail: expect.stringContaining("user.name") },
    });
    expect(users).toEqual(Array(2).fill({ id: "ada@example.org", name: "ada@example.org" }));
  });

  it("without a role of ours may do nothing, and reads which is needed", async () => {
    const nobody = await tokens.headerOf({ roles: ["admin", "__proto__"] });
    for (const [method, path] of [
      ["GET", "/v1/parties"],
      ["GET", "/v1/agreements"],
      ["DELETE", "/v1/queries/x"],
    ] as const) {
      const { status, body } = await send(method, path, nobody);
      expect([status, body.code]).toEqual([403, "FORBIDDEN"]);
      expect(body.detail).toContain("this needs the role");
    }
  });

  it("sees of another's query as little as of one that is not there", async () => {
    const { body } = await send("POST", "/v1/queries", { ...(await ada()), prefer: "respond-async" }, query);
    const path = `/v1/queries/${body.id}`;
    await expect.poll(async () => (await send("GET", path, await ada())).body.status).toBe("answered");
    const absent = await send("GET", "/v1/queries/00000000-0000-4000-8000-000000000000", await bob());
    const privileged = await tokens.headerOf({
      user: "eve",
      roles: ["researcher", "steward", "operator", "auditor"],
      party: "UVA",
    });
    for (const other of [await bob(), privileged]) {
      for (const [method, at] of [
        ["GET", path],
        ["GET", `${path}/result`],
        ["HEAD", `${path}/result`],
        ["DELETE", path],
      ] as const) {
        const answer = await send(method, at, other);
        expect(answer.status).toBe(404);
        if (method !== "HEAD") expect(answer.body).toEqual(absent.body);
      }
    }
    expect((await send("GET", `${path}/result`, await ada())).status).toBe(200);
  });

  it("can't cancel another's query", async () => {
    sidecar.hold = new Promise(() => {});
    const { body } = await send("POST", "/v1/queries", { ...(await ada()), prefer: "respond-async" }, query);
    expect((await send("DELETE", `/v1/queries/${body.id}`, await bob())).status).toBe(404);
    expect((await send("GET", `/v1/queries/${body.id}`, await ada())).body.status).toBe("running");
    expect(sidecar.cancelled).toEqual([]);
    expect((await send("DELETE", `/v1/queries/${body.id}`, await ada())).status).toBe(202);
  });

  it("with another name and the same subject is the same", async () => {
    const { body } = await send(
      "POST",
      "/v1/queries",
      { ...(await tokens.headerOf({ id: "7" })), prefer: "respond-async" },
      query,
    );
    const renamed = await tokens.headerOf({ id: "7", user: "new-name@example.org" });
    expect((await send("GET", `/v1/queries/${body.id}`, renamed)).status).toBe(200);
  });
});

describe("a steward", () => {
  const agreement = (name: string) => ({ name, relations: {} });
  const steward = (party: string) => tokens.headerOf({ user: "steward@example.org", roles: ["steward"], party });
  const isNew = { "if-none-match": "*" };

  it("writes the own party's agreement, and no other's, however its name is spelt", async () => {
    const uva = { ...(await steward("UVA")), ...isNew };
    for (const path of [
      "/v1/agreements/VU",
      "/v1/agreements/%56U",
      "/v1/agreements/UVA%2F..%2FVU",
      "/v1/agreements/UVA/../VU",
    ]) {
      for (const method of ["PUT", "DELETE"]) {
        const { status, body } = await send(method, path, uva, agreement("VU"));
        expect([status, body.code]).toEqual([403, "FORBIDDEN"]);
      }
    }
    // The name in the address is the one that counts.
    expect((await send("PUT", "/v1/agreements/UVA", uva, agreement("VU"))).status).toBe(400);
    expect(await knowledge.list("/")).toMatchObject({ entries: [] });
    expect((await send("PUT", "/v1/agreements/UVA", uva, agreement("UVA"))).status).toBe(201);
    expect((await send("GET", "/v1/agreements/UVA", await steward("VU"))).status).toBe(200);
  });

  it("writes neither archetypes nor steps nor request types, and asks no query", async () => {
    const uva = { ...(await steward("UVA")), ...isNew };
    for (const path of ["/v1/archetypes/UVA", "/v1/steps/UVA", "/v1/request-types/UVA"]) {
      expect((await send("PUT", path, uva, agreement("UVA"))).body.code).toBe("FORBIDDEN");
    }
    expect((await send("POST", "/v1/queries", uva, query)).body.code).toBe("FORBIDDEN");
  });

  it("whose change is recorded and sent again by somebody changes nothing more", async () => {
    const uva = await steward("UVA");
    const first = await send("PUT", "/v1/agreements/UVA", { ...uva, ...isNew }, agreement("UVA"));
    const ifMatch = { ...uva, "if-match": first.headers.get("etag") ?? "" };
    const change = { ...agreement("UVA"), archetypes: ["computeToData"] };
    expect((await send("PUT", "/v1/agreements/UVA", ifMatch, change)).status).toBe(200);
    const after = await send("GET", "/v1/agreements/UVA", uva);
    for (const replay of [ifMatch, { ...uva, ...isNew }]) {
      expect((await send("PUT", "/v1/agreements/UVA", replay, change)).body.code).toBe("REVISION_CONFLICT");
    }
    for (const careless of [uva, { ...uva, "if-match": "*" }]) {
      expect((await send("PUT", "/v1/agreements/UVA", careless, change)).body.code).toBe("PRECONDITION_REQUIRED");
    }
    expect((await send("GET", "/v1/agreements/UVA", uva)).headers.get("etag")).toBe(after.headers.get("etag"));
  });
});

describe("who asks too often", () => {
  it("is told when to come back, and slows nobody else", async () => {
    await close();
    await open(6);
    for (let i = 0; i < 6; i++) expect((await send("GET", "/v1/parties", await ada())).status).toBe(200);
    const refused = await send("GET", "/v1/parties", await ada());
    expect([refused.status, refused.body.code]).toEqual([429, "RATE_LIMITED"]);
    const retryAfterS = Number(refused.headers.get("retry-after"));
    expect(retryAfterS).toBeGreaterThan(1);
    expect(retryAfterS).toBeLessThanOrEqual(10);
    expect((await send("POST", "/v1/queries", await ada(), query)).status).toBe(429);
    expect((await send("GET", "/v1/parties", await bob())).status).toBe(200);
    expect((await send("GET", "/healthz")).status).toBe(200);
  });

  it("is the subject, with whatever token", async () => {
    await close();
    await open(2);
    const roles = [["researcher"], ["operator"], ["auditor"]];
    const statuses = [];
    for (const some of roles)
      statuses.push((await send("GET", "/v1/parties", await tokens.headerOf({ id: "7", roles: some }))).status);
    expect(statuses).toEqual([200, 200, 429]);
  });
});
