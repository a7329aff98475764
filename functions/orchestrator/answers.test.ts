/** Answers over real HTTP, from the listener that the function has. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { RecordBatchReader } from "apache-arrow";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { ErrorCode, type Table } from "#contracts";
import { StreamEncoder } from "#data/arrow-stream";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { rowBatches } from "#data/row-batches";
import { toJsonTable } from "#data/table-json";
import { type AnsweringSidecar, answeringSidecar } from "#testing/answering-sidecar";
import { madeTable } from "#testing/made-table";
import { openTokens, type Tokens } from "#testing/tokens";
import { type App, createApp } from "./app.ts";
import { listenerOf } from "./listener.ts";

let tokens: Tokens;
let bearer: { authorization: string };
let sidecar: AnsweringSidecar;
let app: App;
let server: Server;
let base: string;
let log: ReturnType<typeof createMemoryLog>;

beforeAll(async () => {
  tokens = await openTokens();
  bearer = await tokens.headerOf();
});
afterAll(() => tokens.remove());

beforeEach(async () => {
  sidecar = answeringSidecar();
  log = createMemoryLog();
  app = createApp({ api: sidecar, exchangeParty: "exchange", log, verify: tokens.verify });
  server = createServer(listenerOf(app.fetch)).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await app.close();
});

function fetch(url: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
  return globalThis.fetch(url, { ...init, headers: { ...bearer, ...init.headers } });
}

const specs: ColumnSpec[] = [
  { name: "n", kind: "int64" },
  { name: "text", kind: "text" },
];
const small = (...rows: Cell[][]): Table => madeTable(specs, rows);

function post(providers: string[], headers: Record<string, string> = {}, query = ""): Promise<Response> {
  return fetch(`${base}/v1/queries${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ providers, sql: "SELECT 1" }),
  });
}

/** @returns the address of its result, once it is there */
async function postAsync(providers: string[]): Promise<string> {
  const accepted = await post(providers, { prefer: "respond-async" });
  const path = `${base}/v1/${accepted.headers.get("location")}`;
  await accepted.arrayBuffer();
  await expect.poll(async () => ((await (await fetch(path)).json()) as { status: string }).status).toBe("answered");
  return `${path}/result`;
}

/** About a megabyte a batch, the same batch each time: as many as wanted, none of them held. */
function largeTable(batches: number): { head: Table; bytes: () => AsyncGenerator<Uint8Array> } {
  const rows = rowBatches(specs);
  for (let i = 0; i < 15_000; i++) {
    const full = rows.push([BigInt(i), `row ${i} of a table that is made up, ${"x".repeat(10)}`]);
    if (full !== undefined) throw new Error("not one batch");
  }
  const batch = rows.rest();
  if (batch === undefined) throw new Error("no batch");
  async function* bytes() {
    const encoder = new StreamEncoder(rows.schema);
    for (let i = 0; i < batches; i++) {
      if (batch !== undefined) encoder.write(batch);
      // Cut anywhere, as transfers are.
      const taken = encoder.taken();
      for (let at = 0; at < taken.length; at += 262_144) yield taken.subarray(at, at + 262_144);
    }
    encoder.end();
    yield encoder.taken();
  }
  return { head: { ...madeTable(specs, []), rows: 15_000 * batches }, bytes };
}

async function giveLarge(batches: number, party = "UVA"): Promise<void> {
  const { head, bytes } = largeTable(batches);
  sidecar.answers = { ...sidecar.answers, [party]: { table: await sidecar.transferred(`t-${party}`, head, bytes) } };
}

const csv = { accept: "text/csv" };

describe("the format of an answer", () => {
  beforeEach(() => {
    sidecar.answers = { UVA: { table: small([1n, "a"]) }, VU: { table: small([2n, "b"]) } };
  });

  it.each([
    [undefined, "application/json"],
    ["*/*", "application/json"],
    ["text/*", "text/csv; charset=utf-8; header=present"],
    ["text/csv;q=0.5, application/x-ndjson", "application/x-ndjson"],
    ["application/*;q=0.1, application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"],
    ["application/json;q=0, */*", "application/x-ndjson"],
    ["text/html, application/xhtml+xml, */*;q=0.8", "application/json"],
  ])("for `Accept: %s` is %s", async (accept, type) => {
    const response = await post(["UVA", "VU"], accept === undefined ? {} : { accept });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("vary")).toBe("Accept");
  });

  it("is 406 before the query runs when none is accepted, and names those that there are", async () => {
    const response = await post(["UVA"], { accept: "text/html, application/json;q=0" });
    expect(response.status).toBe(406);
    const problem = await response.json();
    expect(problem).toMatchObject({ code: "NOT_ACCEPTABLE" });
    expect((problem as { detail: string }).detail).toContain("application/vnd.apache.arrow.stream");
    expect(sidecar.cancelled).toEqual([]);
  });

  it("unites equal columns under a first one that names the party", async () => {
    expect(await (await post(["UVA", "VU"], csv)).text()).toBe("party,n,text\r\nUVA,1,a\r\nVU,2,b\r\n");
  });

  it("has that column also when one of the parties has failed, and a header that says so", async () => {
    const failure = { code: ErrorCode.SQL_INVALID, message: "no", party: "VU", step: "sql-query" };
    sidecar.answers = { UVA: { table: small([1n, "a"]) }, VU: failure };
    const response = await post(["UVA", "VU"], csv);
    expect(response.headers.get("x-query-complete")).toBe("false");
    expect(await response.text()).toBe("party,n,text\r\nUVA,1,a\r\n");
    const failed = await post(["UVA", "VU"], csv, "?party=VU");
    expect(failed.status).toBe(400);
    expect(await failed.json()).toMatchObject({ code: "SQL_INVALID" });
  });

  it("is one party's alone with ?party", async () => {
    expect(await (await post(["UVA", "VU"], csv, "?party=VU")).text()).toBe("n,text\r\n2,b\r\n");
    expect(await (await post(["UVA", "VU"], {}, "?party=VU")).json()).toMatchObject({ results: [{ party: "VU" }] });
    expect((await post(["UVA", "VU"], csv, "?party=RUG")).status).toBe(404);
  });

  it("is 406 where the columns differ, with the way out; JSON as second wish is taken", async () => {
    sidecar.answers = {
      UVA: { table: small([1n, "a"]) },
      VU: { table: madeTable([{ name: "m", kind: "int64" }], []) },
    };
    const refused = await post(["UVA", "VU"], csv);
    expect(refused.status).toBe(406);
    expect(((await refused.json()) as { detail: string }).detail).toMatch(/\?party=UVA or \?party=VU/);
    const json = await post(["UVA", "VU"], { accept: "text/csv, application/json;q=0.1" });
    expect(json.headers.get("content-type")).toBe("application/json");
  });

  it.each(["text/csv", "application/x-ndjson", "application/vnd.apache.arrow.stream"])(
    "says as %s that it is complete, and how many rows it has",
    async (accept) => {
      sidecar.answers = { UVA: { table: small([1n, "a"], [2n, "b"]) }, VU: { table: small([3n, "c"]) } };
      const rowsOf = ({ headers }: Response) => [headers.get("x-query-complete"), headers.get("x-query-rows")];
      expect(rowsOf(await post(["UVA", "VU"], { accept }))).toEqual(["true", "3"]);
      expect(rowsOf(await post(["UVA", "VU"], { accept }, "?party=UVA"))).toEqual(["true", "2"]);
      sidecar.answers = { UVA: { table: small() } };
      expect(rowsOf(await post(["UVA"], { accept }))).toEqual(["true", "0"]);
      expect(rowsOf(await post(["UVA"]))).toEqual(["true", null]);
    },
  );

  it("is an error when its table has another number of rows than it says", async () => {
    sidecar.answers = { UVA: { table: { ...small([1n, "a"]), rows: 2 } } };
    const response = await post(["UVA"], csv);
    expect(response.headers.get("x-query-rows")).toBeNull();
    expect(await response.json()).toMatchObject({ code: "ENVELOPE_INVALID" });
  });

  it("has a length when it is short", async () => {
    const response = await post(["UVA"], csv);
    expect(response.headers.get("content-length")).toBe(String((await response.text()).length));
  });
});

describe("a table that lies elsewhere", () => {
  it("is the same answer as one inside its reply, value by value", async () => {
    const { bytes, head } = largeTable(2);
    const all: Uint8Array[] = [];
    for await (const chunk of bytes()) all.push(chunk);
    const arrowIpc = Buffer.concat(all);
    await giveLarge(2);
    const moved = (await (await post(["UVA"])).json()) as { results: { rows: unknown; rowCount: number }[] };
    expect(moved.results[0]?.rowCount).toBe(head.rows);
    expect(JSON.stringify(moved.results[0]?.rows)).toBe(JSON.stringify(toJsonTable(arrowIpc).rows));
    sidecar.answers = { UVA: { table: { arrowIpc, rows: head.rows, transfer: undefined } } };
    const inside = await (await post(["UVA"], csv)).text();
    await giveLarge(2);
    expect(await (await post(["UVA"], csv)).text()).toBe(inside);
    await giveLarge(2);
    const arrow = new Uint8Array(
      await (await post(["UVA"], { accept: "application/vnd.apache.arrow.stream" })).arrayBuffer(),
    );
    expect([...RecordBatchReader.from(arrow)].map(({ numRows }) => numRows)).toEqual([15_000, 15_000]);
  });

  it("is dropped when it was sent", async () => {
    await giveLarge(2);
    await (await post(["UVA"])).arrayBuffer();
    await expect.poll(() => sidecar.dropped).toEqual(["t-UVA"]);
  });

  it("is dropped when its client leaves in the middle, and nobody reads it any more", async () => {
    await giveLarge(30);
    const controller = new AbortController();
    const response = await raw("POST", "/v1/queries", { signal: controller.signal });
    await once(response, "readable");
    expect(sidecar.reading).toBe(1);
    controller.abort();
    response.on("error", () => {});
    await expect.poll(() => sidecar.dropped).toEqual(["t-UVA"]);
    await expect.poll(() => sidecar.reading).toBe(0);
  });

  it("is dropped when no accepted format can hold the answer", async () => {
    await giveLarge(1);
    sidecar.answers = { ...sidecar.answers, VU: { table: madeTable([{ name: "m", kind: "int64" }], []) } };
    expect((await post(["UVA", "VU"], csv)).status).toBe(406);
    await expect.poll(() => sidecar.dropped).toEqual(["t-UVA"]);
  });

  it.each([
    ["json", {}],
    ["csv", csv],
    ["arrow", { accept: "application/vnd.apache.arrow.stream" }],
  ])("never looks whole as %s when a chunk is not as it was sent", async (_, headers) => {
    const { head, bytes } = largeTable(3);
    const table = await sidecar.transferred("t", head, bytes);
    if (table.transfer !== undefined) table.transfer.sha256 = Buffer.alloc(32);
    sidecar.answers = { UVA: { table } };
    const response = await post(["UVA"], headers);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(log.lines).toContainEqual(expect.objectContaining({ message: "an answer broke off" }));
  });

  it("that is gone before the first byte is a problem document", async () => {
    await giveLarge(1);
    await sidecar.dropTransfer("t-UVA");
    const response = await post(["UVA"], csv);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: "TRANSFER_LOST" });
  });

  it("waits for a slow reader, and is read no further than the reader is", async () => {
    let read = 0;
    const { head, bytes } = largeTable(80);
    async function* counted() {
      for await (const chunk of bytes()) {
        read += chunk.length;
        yield chunk;
      }
    }
    const table = await sidecar.transferred("t", head, counted);
    sidecar.answers = { UVA: { table } };
    read = 0;
    const response = await raw("POST", "/v1/queries", csv);
    response.pause();
    await expect
      .poll(
        async () => {
          const before = read;
          await setTimeout(100);
          return read > 0 && read === before;
        },
        { timeout: 10_000 },
      )
      .toBe(true);
    expect(read).toBeLessThan(Number(table.transfer?.bytes) / 2);
    let lines = 0;
    for await (const chunk of response) lines += (chunk as Buffer).filter((byte) => byte === 10).length;
    expect(lines).toBe(head.rows + 1);
  });
});

describe("an answer that is kept", () => {
  it.each(["application/json", "text/csv", "application/x-ndjson", "application/vnd.apache.arrow.stream"])(
    "as %s goes on from any byte, equal to the whole",
    async (accept) => {
      await giveLarge(3);
      const url = await postAsync(["UVA"]);
      const first = await fetch(url, { headers: { accept } });
      expect(first.headers.get("accept-ranges")).toBe("bytes");
      const etag = first.headers.get("etag") ?? "";
      expect(etag).toMatch(/^"[^"]+"$/);
      const whole = Buffer.from(await first.arrayBuffer());
      for (const from of [0, 1, 100_000, whole.length - 1]) {
        const rest = await fetch(url, { headers: { accept, range: `bytes=${from}-`, "if-range": etag } });
        expect(rest.status).toBe(206);
        expect(rest.headers.get("content-range")).toBe(`bytes ${from}-${whole.length - 1}/${whole.length}`);
        expect(rest.headers.get("content-length")).toBe(String(whole.length - from));
        expect(Buffer.from(await rest.arrayBuffer()).equals(whole.subarray(from))).toBe(true);
      }
      const part = await fetch(url, { headers: { accept, range: "bytes=10-19" } });
      expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(10, 20))).toBe(true);
      const end = await fetch(url, { headers: { accept, range: "bytes=-7" } });
      expect(Buffer.from(await end.arrayBuffer()).equals(whole.subarray(-7))).toBe(true);
      const again = await fetch(url, { headers: { accept } });
      expect(again.headers.get("content-length")).toBe(String(whole.length));
      expect(Buffer.from(await again.arrayBuffer()).equals(whole)).toBe(true);
      expect(sidecar.dropped).toEqual([]);
    },
    30_000,
  );

  it("is resumed after its download broke off", async () => {
    await giveLarge(20);
    const url = await postAsync(["UVA"]);
    const controller = new AbortController();
    const broken = await raw("GET", new URL(url).pathname, { signal: controller.signal, ...csv });
    const got: Buffer[] = [];
    broken.on("error", () => {});
    for await (const chunk of broken) {
      got.push(chunk as Buffer);
      if (got.length === 5) break;
    }
    controller.abort();
    const start = Buffer.concat(got);
    const rest = await fetch(url, {
      headers: { ...csv, range: `bytes=${start.length}-`, "if-range": String(broken.headers.etag) },
    });
    expect(rest.status).toBe(206);
    const resumed = Buffer.concat([start, Buffer.from(await rest.arrayBuffer())]);
    const whole = Buffer.from(await (await fetch(url, { headers: csv })).arrayBuffer());
    expect(resumed.equals(whole)).toBe(true);
  }, 30_000);

  it("is whole again under another tag, in several ranges, or in another unit", async () => {
    sidecar.answers = { UVA: { table: small([1n, "a"]) } };
    const url = await postAsync(["UVA"]);
    const json = (await fetch(url)).headers.get("etag") ?? "";
    for (const headers of [
      { ...csv, range: "bytes=1-", "if-range": json },
      { ...csv, range: "bytes=1-", "if-range": `W/${json}` },
      { ...csv, range: "bytes=1-", "if-range": "Wed, 21 Oct 2015 07:28:00 GMT" },
      { ...csv, range: "bytes=0-1,3-4" },
      { ...csv, range: "rows=1-" },
      { ...csv, range: "bytes=2-1" },
    ]) {
      const response = await fetch(url, { headers });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("n,text\r\n1,a\r\n");
    }
  });

  it("says of the whole how many rows it has, whatever is sent of it", async () => {
    await giveLarge(2);
    const url = await postAsync(["UVA"]);
    const whole = await fetch(url, { headers: csv });
    await whole.arrayBuffer();
    const notModified = { ...csv, "if-none-match": whole.headers.get("etag") ?? "" };
    const parts = [
      whole,
      await fetch(url, { headers: { ...csv, range: "bytes=100-" } }),
      await fetch(url, { headers: { ...csv, range: "bytes=0-9", "if-range": '"other"' } }),
      await fetch(url, { headers: notModified }),
      await fetch(url, { method: "HEAD", headers: csv }),
    ];
    expect(parts.map(({ status }) => status)).toEqual([200, 206, 200, 304, 200]);
    for (const { headers } of parts) {
      expect([headers.get("x-query-rows"), headers.get("x-query-complete")]).toEqual(["30000", "true"]);
    }
    expect(parts.at(-1)?.headers.get("content-length")).not.toBe("0");
    for (const part of parts.slice(1)) await part.arrayBuffer();
  });

  it("is 416 beyond its end, with its length", async () => {
    sidecar.answers = { UVA: { table: small([1n, "a"]) } };
    const url = await postAsync(["UVA"]);
    const beyond = await fetch(url, { headers: { ...csv, range: "bytes=13-" } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("content-range")).toBe("bytes */13");
    expect(await beyond.json()).toMatchObject({ code: "RANGE_NOT_SATISFIABLE" });
  });

  it("is not sent again to who has it", async () => {
    sidecar.answers = { UVA: { table: small([1n, "a"]) } };
    const url = await postAsync(["UVA"]);
    const etag = (await fetch(url, { headers: csv })).headers.get("etag") ?? "";
    expect((await fetch(url, { headers: { ...csv, "if-none-match": `"other", W/${etag}` } })).status).toBe(304);
  });

  it("is read by one at a time, each to its end", async () => {
    await giveLarge(3);
    const url = await postAsync(["UVA"]);
    let most = 0;
    const { readTransfer } = sidecar;
    sidecar.readTransfer = async function* (name, signal) {
      for await (const chunk of readTransfer(name, signal)) {
        most = Math.max(most, sidecar.reading);
        yield chunk;
      }
    };
    const bodies = await Promise.all([1, 2, 3].map(async () => (await fetch(url, { headers: csv })).text()));
    expect(new Set(bodies).size).toBe(1);
    expect(most).toBe(1);
  });

  it("leaves its transfers to the next orchestrator when this one stops", async () => {
    await giveLarge(1);
    await postAsync(["UVA"]);
    await app.close();
    expect(sidecar.dropped).toEqual([]);
  });

  it("drops its transfers with an orchestrator that could not leave the answer to another", async () => {
    await giveLarge(1);
    sidecar.writeTransfer = async () => Promise.reject(new Error("the broker is away"));
    await postAsync(["UVA"]);
    await app.close();
    expect(sidecar.dropped).toEqual(["t-UVA"]);
  });

  it("says that rows which were sent once are not kept", async () => {
    await giveLarge(1);
    const sent = await post(["UVA"]);
    await sent.arrayBuffer();
    const again = await fetch(`${base}/v1/queries/${sent.headers.get("x-query-id")}/result`);
    expect(again.status).toBe(404);
    expect(((await again.json()) as { detail: string }).detail).toContain("respond-async");
  });
});

describe("an answer of 200 MB", () => {
  it.each(["application/json", "text/csv", "application/vnd.apache.arrow.stream"])(
    "as %s takes a small part of that in memory, and lets others in meanwhile",
    async (accept) => {
      await giveLarge(250);
      let warm = 0;
      let peak = 0;
      let bytes = 0;
      let others = 0;
      const response = await raw("POST", "/v1/queries", { accept });
      for await (const chunk of response) {
        const had = bytes;
        bytes += (chunk as Buffer).length;
        if (Math.floor(bytes / 10_000_000) === Math.floor(had / 10_000_000)) continue;
        others += (await fetch(`${base}/healthz`)).status === 200 ? 1 : 0;
        const { rss } = process.memoryUsage();
        // The first part brings client, server and collector to their sizes.
        if (bytes < 40_000_000) warm = Math.max(warm, rss);
        else peak = Math.max(peak, rss);
      }
      expect(response.complete).toBe(true);
      expect(bytes).toBeGreaterThan(190_000_000);
      expect(others).toBeGreaterThan(17);
      // Held as a whole it would be all of it, and more.
      expect(peak - warm).toBeLessThan(140_000_000);
    },
    115_000,
  );
});

function raw(
  method: string,
  path: string,
  { signal, ...headers }: { signal?: AbortSignal; accept?: string },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const body = method === "POST" ? JSON.stringify({ providers: ["UVA"], sql: "SELECT 1" }) : "";
    const type = method === "POST" ? { "content-type": "application/json" } : {};
    request(
      `${base}${path}`,
      { method, headers: { ...bearer, ...type, ...headers }, ...(signal ? { signal } : {}) },
      resolve,
    )
      .on("error", reject)
      .end(body);
  });
}
