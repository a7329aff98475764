/** The part of OpenFaaS's REST API that faas-cli, the sidecars and people use. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AsyncCalls } from "./async-calls.ts";
import { type Credentials, isAllowed } from "./basic-auth.ts";
import { type DeployedFunction, functionStatus } from "./deployed-function.ts";
import { sendLogs } from "./logs-route.ts";
import type { FunctionProxy } from "./proxy.ts";
import { sendJson, sendText } from "./send.ts";

export interface RouteTools {
  readonly functions: ReadonlyMap<string, DeployedFunction>;
  readonly proxy: FunctionProxy;
  readonly asyncCalls: AsyncCalls;
  /** Served at /metrics, in Prometheus' text format; absent: there is no such path. */
  readonly metrics: { readonly contentType: string; text(): Promise<string> } | undefined;
  /** Absent: /system/ is open too. */
  readonly auth: Credentials | undefined;
}

const namespace = "openfaas-fn";
const call = /^\/(async-)?function\/([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?:\.[-a-z0-9]+)?(\/[^?]*)?(\?.*)?$/;

export async function route(request: IncomingMessage, response: ServerResponse, tools: RouteTools): Promise<void> {
  const target = request.url ?? "/";
  // Node's parser lets these through, its client would throw on them.
  if (!/^[\x21-\x7e]+$/.test(target)) return sendText(response, 400, "the path holds characters that must be encoded");
  const called = call.exec(target);
  if (called !== null) {
    const [, isAsync, name = "", path = "/", query = ""] = called;
    const fn = tools.functions.get(name);
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
  if (
    pathname.startsWith("/system/") &&
    tools.auth !== undefined &&
    !isAllowed(request.headers.authorization, tools.auth)
  ) {
    response.setHeader("www-authenticate", 'Basic realm="Restricted"');
    return sendText(response, 401, "invalid credentials");
  }
  system({ method: request.method ?? "GET", pathname, query: new URLSearchParams(query) }, response, tools);
}

interface Target {
  readonly method: string;
  readonly pathname: string;
  readonly query: URLSearchParams;
}

function system({ method, pathname, query }: Target, response: ServerResponse, { functions }: RouteTools): void {
  const name = /^\/system\/function\/([-a-z0-9]+)$/.exec(pathname)?.[1];
  if (pathname === "/healthz") sendText(response, 200, "OK");
  else if (!pathname.startsWith("/system/")) sendText(response, 404, "404 page not found");
  else if (method !== "GET") {
    sendText(response, 501, "this local gateway runs what stack.yml names: change the file and start it again");
  } else if (name !== undefined) one(response, functions.get(name));
  else if (pathname === "/system/functions") sendJson(response, 200, [...functions.values()].map(functionStatus));
  else if (pathname === "/system/info") sendJson(response, 200, info);
  else if (pathname === "/system/namespaces") sendJson(response, 200, [namespace]);
  else if (pathname === "/system/logs") sendLogs(query, response, functions, namespace);
  else sendText(response, 404, "404 page not found");
}

function one(response: ServerResponse, fn: DeployedFunction | undefined): void {
  if (fn === undefined) response.writeHead(404).end();
  else sendJson(response, 200, functionStatus(fn));
}

const info = {
  provider: {
    provider: "dynamos-local",
    name: "dynamos-local",
    orchestration: "processes",
    version: { release: "0.1.0", sha: "" },
  },
  version: { release: "0.1.0", sha: "", commit_message: "" },
  arch: process.arch === "x64" ? "x86_64" : process.arch,
};
