/** Which of a gateway's parts answers a request: functions, /system/, or a few pages beside them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AsyncCalls } from "./async-calls.ts";
import { openfaasNamespace } from "./namespace.ts";
import type { FunctionProxy } from "./proxy.ts";
import { refuseBody, sendText } from "./send.ts";
import { type SystemTools, system } from "./system-routes.ts";

export interface RouteTools extends SystemTools {
  readonly proxy: FunctionProxy;
  readonly asyncCalls: AsyncCalls;
  /** Served at /metrics, in Prometheus' text format; absent: there is no such path. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> } | undefined;
}

const call = /^\/(async-)?function\/([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?:\.([-a-z0-9]+))?(\/[^?]*)?(\?.*)?$/;

export async function route(request: IncomingMessage, response: ServerResponse, tools: RouteTools): Promise<void> {
  const target = request.url ?? "/";
  // Node's parser lets these through, its client would throw on them.
  if (!/^[\x21-\x7e]+$/.test(target)) return sendText(response, 400, "the path holds characters that must be encoded");
  const called = call.exec(target);
  if (called !== null) {
    const [, isAsync, name = "", namespace = openfaasNamespace, path = "/", query = ""] = called;
    const fn = namespace === openfaasNamespace ? tools.functions.get(name) : undefined;
    // OpenFaaS accepts an asynchronous call of what is not there; an early 404 loses nothing.
    if (fn === undefined) sendText(response, 404, `error finding function ${name}.${namespace}`);
    else if (isAsync) await tools.asyncCalls.accept(request, response, fn, path + query);
    else tools.proxy.forward(request, response, fn, path + query);
    return;
  }
  // As written: `..` in it leads nowhere.
  const [pathname = "", query = ""] = target.split("?", 2);
  if (pathname === "/metrics" && tools.metrics !== undefined) {
    const text = await tools.metrics.text();
    response.writeHead(200, { "content-type": tools.metrics.contentType }).end(text);
    return;
  }
  if (pathname === "/healthz") sendText(response, 200, "OK");
  else if (pathname.startsWith("/system/")) {
    await system(request, response, { pathname, query: new URLSearchParams(query) }, tools);
  } else refuseBody(request, response, 404, "404 page not found");
}
