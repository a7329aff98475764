/** `/system/logs`: what a function wrote, one JSON object a line, as `faas-cli logs` reads it. */
import type { ServerResponse } from "node:http";
import type { DeployedFunction } from "./deployed-function.ts";
import type { LogLine } from "./log-ring.ts";
import { openfaasNamespace } from "./namespace.ts";
import { sendText } from "./send.ts";

/** As OpenFaaS's providers end a request that follows. */
const followMsMax = 60_000;
/** A reader that is slower than the function loses its place, not our memory. */
const unsentBytesMax = 1_048_576;

/**
 * `tail`: so many last lines, all without it or when it is not above 0; `since`: RFC 3339; `instance`: of this one;
 * `follow`: also those to come, until the reader goes or a minute has passed.
 */
export function sendLogs(
  query: URLSearchParams,
  response: ServerResponse,
  find: (name: string) => DeployedFunction | undefined,
): void {
  const name = query.get("name") ?? "";
  const fn = find(name);
  const tail = Number(query.get("tail") ?? 0);
  const since = query.get("since") ?? "";
  const sinceMs = since === "" ? Number.NEGATIVE_INFINITY : Date.parse(since);
  const instance = query.get("instance") || fn?.instance;
  if (!Number.isInteger(tail) || Number.isNaN(sinceMs)) {
    sendText(response, 422, "could not parse the log request");
  } else if (fn === undefined) {
    sendText(response, 404, `error finding function ${name.slice(0, 64)}`);
  } else {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    // The reader sees that it is connected before there is a line.
    response.flushHeaders();
    const all = fn.lines.last(tail > 0 ? tail : Number.MAX_SAFE_INTEGER);
    const wanted = instance === fn.instance ? all.filter(({ at }) => at.getTime() >= sinceMs) : [];
    for (const line of wanted) response.write(textOf(fn, line));
    if (query.get("follow") === "true" && instance === fn.instance) follow(fn, response);
    else response.end();
  }
}

function follow(fn: DeployedFunction, response: ServerResponse): void {
  const timer = setTimeout(() => response.end(), followMsMax);
  const stop = fn.lines.follow((line) => {
    response.write(textOf(fn, line));
    if (response.writableLength > unsentBytesMax) response.destroy();
  });
  response.once("close", () => {
    clearTimeout(timer);
    stop();
  });
}

function textOf({ spec: { name }, instance }: DeployedFunction, { at, text }: LogLine): string {
  return `${JSON.stringify({ name, namespace: openfaasNamespace, instance, timestamp: at.toISOString(), text })}\n`;
}
