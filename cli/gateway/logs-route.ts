/** `/system/logs`: what a function wrote, one JSON object a line, as `faas-cli logs` reads it. */
import type { ServerResponse } from "node:http";
import type { DeployedFunction } from "./deployed-function.ts";
import { sendText } from "./send.ts";

/**
 * `tail`: so many last lines, all without it or when it is not above 0; `since`: RFC 3339. `follow` is
 * not offered: the answer ends with the last line there is.
 */
export function sendLogs(
  query: URLSearchParams,
  response: ServerResponse,
  functions: ReadonlyMap<string, DeployedFunction>,
  namespace: string,
): void {
  const name = query.get("name") ?? "";
  const fn = functions.get(name);
  const tail = Number(query.get("tail") ?? 0);
  const since = query.get("since") ?? "";
  const sinceMs = since === "" ? Number.NEGATIVE_INFINITY : Date.parse(since);
  if (!Number.isInteger(tail) || Number.isNaN(sinceMs)) {
    sendText(response, 422, "could not parse the log request");
  } else if (fn === undefined) {
    sendText(response, 404, `error finding function ${name.slice(0, 64)}`);
  } else {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const lines = fn.lines.last(tail > 0 ? tail : Number.MAX_SAFE_INTEGER).filter(({ at }) => at.getTime() >= sinceMs);
    for (const { at, text } of lines) {
      response.write(`${JSON.stringify({ name, namespace, instance: name, timestamp: at.toISOString(), text })}\n`);
    }
    response.end();
  }
}
