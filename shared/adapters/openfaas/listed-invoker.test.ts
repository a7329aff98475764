import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "#adapters/system/clock";
import { limits } from "#domain/limits";
import type { Invoker } from "#ports/invoker";
import { createListedInvoker } from "./listed-invoker.ts";

let folder: string;
let file: string;
let server: Server;
let url: string;
let invoker: Invoker;
const seen: unknown[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "listed-invoker-"));
  file = join(folder, "functions.json");
  seen.length = 0;
  server = createServer((request, response) => {
    request.resume();
    seen.push(request.method, request.url, request.headers["content-type"]);
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end(Buffer.from([9]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  invoker = createListedInvoker({ file, party: "UVA", clock: systemClock });
});

afterEach(async () => {
  await invoker.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const list = (value: unknown) => writeFile(file, typeof value === "string" ? value : JSON.stringify(value));
const call = () =>
  invoker.invoke(
    "sql-query",
    { envelope: new Uint8Array([1]), take: async () => {} },
    { deadlineMs: Date.now() + 10_000, signal: new AbortController().signal },
  );

describe("functions in a file", () => {
  it("serve the party's queues, whichever party it is", async () => {
    await list([
      { step: "sql-query", url, concurrency: 9 },
      { step: "sql-graph", url },
    ]);
    expect(await invoker.steps()).toEqual([
      { name: "sql-query", topic: "uva.sql-query", concurrency: 9 },
      { name: "sql-graph", topic: "uva.sql-graph", concurrency: limits.concurrencyDefault },
    ]);
  });

  it("are called at their own address, below a path where they have one", async () => {
    await list([{ step: "sql-query", url: `${url}/below/` }]);
    await invoker.steps();
    expect([...(await call())]).toEqual([9]);
    expect(seen).toEqual(["POST", "/below/", "application/x-protobuf"]);
  });

  it("are read again each time, so that a changed file counts", async () => {
    await list([{ step: "sql-query", url: "http://127.0.0.1:1" }]);
    await invoker.steps();
    await expect(call()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: expect.stringMatching(/connection refused/),
    });
    await list([{ step: "sql-query", url }]);
    await invoker.steps();
    expect([...(await call())]).toEqual([9]);
  });

  it("are not there when they are not listed, nor after the end", async () => {
    await expect(call()).rejects.toMatchObject({ message: "function sql-query is not deployed" });
    await list([{ step: "sql-query", url }]);
    await invoker.steps();
    await invoker.close();
    await expect(call()).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE" });
    expect(seen).toEqual([]);
  });

  it.each([
    ["text", "not json", "is not JSON"],
    ["an object", { "sql-query": {} }, "must be a list"],
    ["no entry", [null], "entry 1: must be an object"],
    ["a misspelt field", [{ step: "a", url: "http://a", concurency: 2 }], "entry 1: unknown field concurency"],
    ["a step with its party", [{ step: "uva.sql-query", url: "http://a" }], "step must be the name of a step"],
    ["a wildcard", [{ step: "*", url: "http://a" }], "step must be the name of a step"],
    ["no address", [{ step: "a", url: "a:8080" }], "url must begin with http"],
    ["a password", [{ step: "a", url: "http://a:b@c" }], "url must not hold credentials"],
    ["fused steps that are none", [{ step: "a", url: "http://a", fuse: "A.b" }], "fuse must name steps"],
    ["no call at once", [{ step: "a", url: "http://a", concurrency: 0 }], "concurrency must be a whole number"],
    [
      "two of one step",
      [
        { step: "a", url: "http://a" },
        { step: "a", url: "http://b" },
      ],
      "names the step a twice",
    ],
  ])("are refused with a sentence for %s", async (_, value, sentence) => {
    await list(value);
    await expect(invoker.steps()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: expect.stringContaining(sentence),
    });
  });

  it("are refused with a sentence when the file is not there", async () => {
    await expect(invoker.steps()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: `the list of functions, ${file}, can't be read (ENOENT)`,
    });
  });
});
