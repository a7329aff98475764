/** `GET /v1/records`: what the exchange has on record, for an auditor, as JSON lines. */
import { Hono } from "hono";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Log } from "#ports/log";
import type { SidecarApi } from "#sidecar/client";
import { streamOf } from "./answer-response.ts";
import type { CallerEnv } from "./caller.ts";

export function recordsApi(api: SidecarApi, log: Log): Hono<CallerEnv> {
  const routes = new Hono<CallerEnv>();
  routes.get("/", async (c) => {
    const queryId = c.req.query("query") ?? "";
    const asking = new AbortController();
    const lines = api.readRecords(queryId, asking.signal)[Symbol.asyncIterator]();
    // What can't be read is a problem document, not an answer that breaks off.
    const first = await lines.next();
    const second = first.done === true ? first : await lines.next();
    if (queryId !== "" && second.done === true) {
      throw new DynamosError(ErrorCode.NOT_FOUND, "there is nothing on record about this query");
    }
    const bytes = async function* (gone: AbortSignal): AsyncGenerator<Uint8Array> {
      gone.addEventListener("abort", () => asking.abort(), { once: true });
      for (let line = first; line.done !== true; line = line === first ? second : await lines.next()) {
        yield new TextEncoder().encode(`${line.value}\n`);
      }
    };
    return new Response(streamOf(bytes, log), {
      status: 200,
      headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
    });
  });
  return routes;
}
