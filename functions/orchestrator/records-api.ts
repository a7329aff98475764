/** `GET /v1/records`: what the exchange has on record, for an auditor, as JSON lines. */
import { Hono } from "hono";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
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
    c.req.raw.signal.addEventListener("abort", () => asking.abort(), { once: true });
    const lines = api.readRecords(queryId, asking.signal)[Symbol.asyncIterator]();
    // What can't be read is a problem document, not an answer that breaks off.
    const first = await lines.next();
    const second = first.done === true ? first : await lines.next();
    if (queryId !== "" && second.done === true) {
      throw new DynamosError(ErrorCode.NOT_FOUND, "there is nothing on record about this query");
    }
    // Its number of lines is not known before: an answer that is held until its end has a length instead, which no
    // proxy can cut unseen. The end of a longer one shows against a head.
    const held: Uint8Array[] = [];
    let heldBytes = 0;
    let line = first;
    for (; line.done !== true && heldBytes <= limits.answerHeldBytesMax; line = await nextOf(line)) {
      const bytes = bytesOf(line.value);
      held.push(bytes);
      heldBytes += bytes.length;
    }
    const headers = { "content-type": "application/x-ndjson", "cache-control": "no-store" };
    if (line.done === true) return new Response(Buffer.concat(held), { status: 200, headers });
    const bytes = async function* (gone: AbortSignal): AsyncGenerator<Uint8Array> {
      gone.addEventListener("abort", () => asking.abort(), { once: true });
      yield Buffer.concat(held.splice(0));
      for (; line.done !== true; line = await nextOf(line)) yield bytesOf(line.value);
    };
    return new Response(streamOf(bytes, log), { status: 200, headers });

    function nextOf(taken: IteratorResult<string>): Promise<IteratorResult<string>> {
      return taken === first ? Promise.resolve(second) : lines.next();
    }
  });
  return routes;
}

function bytesOf(line: string): Uint8Array {
  return new TextEncoder().encode(`${line}\n`);
}
