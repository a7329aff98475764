/** Asynchronous queries outlive the orchestrator that ran them. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { type AnsweringSidecar, answeringSidecar } from "#testing/answering-sidecar";
import { madeTable } from "#testing/made-table";
import { openTokens, type Tokens } from "#testing/tokens";
import { type App, createApp } from "./app.ts";

let tokens: Tokens;
let sidecar: AnsweringSidecar;
let apps: App[];

beforeEach(async () => {
  tokens = await openTokens();
  sidecar = answeringSidecar();
  sidecar.answers = { UVA: { document: { mediaType: "application/json", body: Buffer.from('{"n":7}') } } };
  apps = [];
});
afterEach(async () => {
  for (const app of apps) await app.close();
  await tokens.remove();
});

function orchestrator(): App {
  const log = createMemoryLog();
  const app = createApp({ api: sidecar, exchangeParty: "exchange", log, verify: tokens.verify });
  apps.push(app);
  return app;
}

async function call(app: App, method: string, path: string, user?: string) {
  const headers = {
    ...(await tokens.headerOf(user === undefined ? {} : { user })),
    "content-type": "application/json",
    prefer: "respond-async",
  };
  const body = method === "POST" ? { body: JSON.stringify({ providers: ["UVA"], sql: "SELECT 1" }) } : {};
  const response = await app.fetch(new Request(`http://h/v1/queries${path}`, { method, headers, ...body }));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function asked(app: App): Promise<string> {
  const { status, body } = await call(app, "POST", "");
  expect(status).toBe(202);
  return `/${body.id}`;
}

it("gives the answer of a query that ran in an orchestrator which is gone, with the same bytes", async () => {
  const first = orchestrator();
  const path = await asked(first);
  await expect.poll(() => call(first, "GET", `${path}/result`)).toMatchObject({ status: 200 });
  const before = await call(first, "GET", `${path}/result`);
  await first.close();
  const next = orchestrator();
  expect(await call(next, "GET", `${path}/result`)).toEqual(before);
  expect(await call(next, "GET", path)).toMatchObject({ status: 200, body: { status: "answered" } });
});

it("gives rows with their number from any orchestrator", async () => {
  sidecar.answers = { UVA: { table: madeTable([{ name: "n", kind: "int64" }], [[1n], [2n]]) } };
  const path = await asked(orchestrator());
  const csvOf = async (app: App) => {
    const headers = { ...(await tokens.headerOf()), accept: "text/csv" };
    const response = await app.fetch(new Request(`http://h/v1/queries${path}/result`, { headers }));
    return [response.status, response.headers.get("x-query-rows"), await response.text()];
  };
  const [first] = apps as [App];
  await expect.poll(() => csvOf(first)).toEqual([200, "2", "n\r\n1\r\n2\r\n"]);
  await first.close();
  expect(await csvOf(orchestrator())).toEqual([200, "2", "n\r\n1\r\n2\r\n"]);
});

it("lets a query end that runs when its orchestrator is told to stop, and says meanwhile that it runs", async () => {
  let release = () => {};
  sidecar.hold = new Promise((resolve) => {
    release = resolve;
  });
  const first = orchestrator();
  const path = await asked(first);
  first.stopping(60_000);
  const closed = first.close();
  const next = orchestrator();
  expect(await call(next, "GET", `${path}/result`)).toMatchObject({ status: 202, body: { status: "running" } });
  release();
  await closed;
  expect(await call(next, "GET", `${path}/result`)).toMatchObject({ status: 200, body: { complete: true } });
});

it("tells nobody else of it", async () => {
  const first = orchestrator();
  const path = await asked(first);
  await first.close();
  expect(await call(orchestrator(), "GET", path, "other@example.org")).toMatchObject({ status: 404 });
});

it("says to ask again when the orchestrator died with the query", async () => {
  const id = "00000000-0000-4000-8000-000000000000";
  const subject = "researcher@example.org";
  const text = JSON.stringify({ id, subject, startedAtMs: 0, deadlineMs: 1 });
  await sidecar.writeTransfer({ id: `asked-${id}`, expiresInMs: 1_000, chunks: [Buffer.from(text)] });
  const { status, body } = await call(orchestrator(), "GET", `/${id}/result`);
  expect({ status, detail: body.detail }).toMatchObject({ status: 503, detail: expect.stringContaining("ask again") });
});

it("looks for nothing at the broker that is no id of a query", async () => {
  let reads = 0;
  const { readTransfer } = sidecar;
  sidecar.readTransfer = (name, signal) => {
    reads += 1;
    return readTransfer(name, signal);
  };
  expect(await call(orchestrator(), "GET", "/x.surf.y")).toMatchObject({ status: 404 });
  expect(reads).toBe(0);
});
