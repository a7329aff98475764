/** Answers through Go's proxies, which lose some that come early and end those that break off as if they were whole. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { StreamEncoder } from "#data/arrow-stream";
import { rowBatches } from "#data/row-batches";
import { type HttpDoor, openHttpDoor } from "#runtime/http-door";
import { type AnsweringSidecar, answeringSidecar } from "#testing/answering-sidecar";
import { findTool } from "#testing/find-tool";
import { buildGoProxies, findGo } from "#testing/half-duplex/go-proxy";
import { madeTable } from "#testing/made-table";
import { openTokens, type Tokens } from "#testing/tokens";
import { rowLines } from "../../cli/commands/whole-answer.ts";
import { createApp } from "./app.ts";
import { listenerOf } from "./listener.ts";

const closers: (() => Promise<unknown>)[] = [];
let tokens: Tokens;
let bearer: { authorization: string };
let sidecar: AnsweringSidecar;
let door: HttpDoor;

beforeAll(async () => {
  tokens = await openTokens();
  closers.push(tokens.remove);
  bearer = await tokens.headerOf();
  sidecar = answeringSidecar();
  const app = createApp({ api: sidecar, exchangeParty: "exchange", log: createMemoryLog(), verify: tokens.verify });
  closers.push(app.close);
  door = await openHttpDoor({ host: "127.0.0.1", port: 0, listener: listenerOf(app.fetch), isReady: () => true });
  closers.push(() => door.drain(0));
});
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const rowsOfBatch = 15_000;
const ndjson = { accept: "application/x-ndjson" };

/** @param isWhole else its last chunk is found not to be what was sent, after most of its rows went out */
async function giveTable(isWhole: boolean): Promise<void> {
  const specs = [{ name: "n", kind: "int64" as const }];
  const rows = rowBatches(specs);
  for (let i = 0; i < rowsOfBatch; i++) rows.push([BigInt(i)]);
  const batch = rows.rest();
  const table = await sidecar.transferred("t", { ...madeTable(specs, []), rows: 4 * rowsOfBatch }, async function* () {
    const encoder = new StreamEncoder(rows.schema);
    for (let i = 0; i < 4; i++) {
      if (batch !== undefined) encoder.write(batch);
      yield encoder.taken();
    }
    encoder.end();
    yield encoder.taken();
  });
  if (!isWhole && table.transfer !== undefined) table.transfer.sha256 = Buffer.alloc(32);
  sidecar.answers = { UVA: { table } };
}

function post(url: string, headers: Record<string, string> = {}, body = JSON.stringify(query)): Promise<Response> {
  return fetch(`${url}/v1/queries`, {
    method: "POST",
    headers: { "content-type": "application/json", ...bearer, ...headers },
    body,
  });
}

const query = { providers: ["UVA"], sql: "SELECT 1" };

/** As a plain client on a slow line: it looks for an answer when all of its body is sent. */
async function statusAfterSending(url: string, method: string, headers: Record<string, string>): Promise<unknown> {
  const { hostname, port, pathname } = new URL(url);
  const piece = Buffer.alloc(262_144, 32);
  const pieces = 8;
  const fields = { host: hostname, ...headers, "content-length": pieces * piece.length, connection: "close" };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(Number(port), hostname);
  try {
    socket.write(`${method} ${pathname} HTTP/1.1\r\n${lines.join("")}\r\n`);
    for (let i = 0; i < pieces; i++) {
      await new Promise<void>((sent, lost) => {
        socket.once("error", lost).write(piece, () => sent());
      });
      // Longer than Go's server waits before it resets a connection whose request it has not read.
      await setTimeout(i === 0 ? 800 : 10);
    }
    return Number((await text(socket)).split(" ")[1]);
  } catch (error) {
    return String(error);
  } finally {
    socket.destroy();
  }
}

/** The address of a kept result. */
async function keptResult(url: string): Promise<string> {
  const accepted = await post(url, { prefer: "respond-async" });
  await accepted.arrayBuffer();
  const kept = `${url}/v1/${accepted.headers.get("location")}`;
  const isAnswered = async () => ((await (await fetch(kept, { headers: bearer })).json()) as { status: string }).status;
  await expect.poll(isAnswered).toBe("answered");
  return kept;
}

const go = findGo("the orchestrator does not answer through its HTTP library");

describe.skipIf(go === undefined)("through Go's HTTP library, as in OpenFaaS' gateway and of-watchdog", () => {
  let url: string;
  beforeAll(async () => {
    const proxies = await buildGoProxies(go ?? "");
    closers.push(proxies.remove);
    const inFront = await proxies.startBoth(`http://127.0.0.1:${door.port}`);
    closers.push(inFront.stop);
    ({ url } = inFront);
  }, 300_000);

  it("an answer that breaks off looks whole, and our reader refuses it", async () => {
    await giveTable(false);
    const looksWhole = await post(url, ndjson);
    expect(looksWhole.status).toBe(200);
    const came = (await looksWhole.text()).split("\n").length - 1;
    const rows = Number(looksWhole.headers.get("x-query-rows"));
    expect(rows).toBe(4 * rowsOfBatch);
    expect(came).toBeGreaterThan(0);
    expect(came).toBeLessThan(rows);
    const read = async () => {
      for await (const _ of rowLines(await post(url, ndjson)));
    };
    await giveTable(false);
    await expect(read()).rejects.toThrow(/^the answer broke off: [\d,]+ of 60,000 rows came; ask again$/);
    await giveTable(true);
    await read();
  });

  it.each([
    ["without a token", 401, "POST", "/v1/queries", { authorization: "" }],
    ["for another role", 403, "PUT", "/v1/agreements/UVA", {}],
    ["to nowhere", 404, "POST", "/v1/nowhere", {}],
    ["over its limit", 413, "POST", "/v1/queries", {}],
    ["in another type", 415, "POST", "/v1/queries", { "content-type": "text/plain" }],
  ])("a refusal of a large body arrives each time: %s", async (_, status, method, path, headers) => {
    const all = { "content-type": "application/json", ...bearer, ...headers };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => statusAfterSending(`${url}${path}`, method, all)),
    );
    expect(answers).toEqual(new Array(20).fill(status));
  });

  it.skipIf(findTool("curl") === undefined)("the commands of docs/answers.md tell a whole answer from a part", () =>
    followChecks(() => url),
  );
});

it.skipIf(findTool("curl") === undefined)("with nothing in front the commands of docs/answers.md tell the same", () =>
  followChecks(() => `http://127.0.0.1:${door.port}`),
);

async function followChecks(url: () => string): Promise<void> {
  const page = await readFile(resolve(import.meta.dirname, "../../docs/answers.md"), "utf8");
  const section = page.split(/^## /m).find((part) => part.startsWith("What a client checks\n")) ?? "";
  const [, commands = ""] = /^```\n([\s\S]*?)^```$/m.exec(section) ?? [];
  expect(commands).toContain("x-query-rows");
  const folder = await mkdtemp(join(tmpdir(), "dynamos-checks-"));
  try {
    for (const isWhole of [true, false]) {
      await giveTable(isWhole);
      const typed = commands.replaceAll("URL", await keptResult(url()));
      const env = { PATH: process.env.PATH ?? "", bearer: `authorization: ${bearer.authorization}` };
      const { stdout } = await promisify(execFile)("sh", ["-c", typed], { cwd: folder, env });
      expect(stdout).toBe(isWhole ? "" : "not whole: ask again\n");
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
