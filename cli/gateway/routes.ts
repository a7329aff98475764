/** The part of OpenFaaS's REST API that faas-cli, the sidecars and people use. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AsyncCalls } from "./async-calls.ts";
import { type DeployedFunction, functionStatus } from "./deployed-function.ts";
import type { Proxy } from "./proxy.ts";
import { sendJson, sendText } from "./send.ts";

export interface RouteTools {
  readonly functions: ReadonlyMap<string, DeployedFunction>;
  readonly proxy: Proxy;
  readonly asyncCalls: AsyncCalls;
}

const namespace = "openfaas-fn";
const call = /^\/(async-)?function\/([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)(?:\.[-a-z0-9]+)?(\/[^?]*)?(\?.*)?$/;

export async function route(request: IncomingMessage, response: ServerResponse, tools: RouteTools): Promise<void> {
  const target = request.url ?? "/";
  const called = call.exec(target);
  if (called !== null) {
    const [, isAsync, name = "", path = "/", query = ""] = called;
    const fn = tools.functions.get(name);
    // OpenFaaS accepts an asynchronous call of what is not there; an early 404 loses nothing.
    if (fn === undefined) return sendText(response, 404, `error finding function ${name}.${namespace}`);
    return isAsync
      ? tools.asyncCalls.accept(request, response, fn, path + query)
      : tools.proxy.forward(request, response, fn, path + query);
  }
  const url = new URL(target, "http://gateway");
  return system(request.method ?? "GET", url, response, tools);
}

function system(method: string, url: URL, response: ServerResponse, { functions }: RouteTools): void {
  const { pathname } = url;
  if (pathname === "/healthz") return sendText(response, 200, "OK");
  const one = /^\/system\/function\/([-a-z0-9]+)$/.exec(pathname);
  if (method !== "GET" && pathname.startsWith("/system/")) {
    return sendText(response, 501, "this local gateway runs what stack.yml names: change the file and start it again");
  }
  if (one !== null) {
    const fn = functions.get(one[1] ?? "");
    return fn === undefined ? void response.writeHead(404).end() : sendJson(response, 200, functionStatus(fn));
  }
  switch (pathname) {
    case "/system/functions":
      return sendJson(response, 200, [...functions.values()].map(functionStatus));
    case "/system/info":
      return sendJson(response, 200, info);
    case "/system/namespaces":
      return sendJson(response, 200, [namespace]);
    case "/system/logs":
      return logs(url, response, functions);
    default:
      return sendText(response, 404, "404 page not found");
  }
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

/** NDJSON of what the function wrote; `follow` is not offered. */
function logs(url: URL, response: ServerResponse, functions: ReadonlyMap<string, DeployedFunction>): void {
  const name = url.searchParams.get("name") ?? "";
  const fn = functions.get(name);
  if (fn === undefined) return sendText(response, 404, `error finding function ${name.slice(0, 64)}`);
  const tail = Number(url.searchParams.get("tail") ?? 100);
  const lines = fn.lines.last(Number.isInteger(tail) && tail > 0 ? tail : 100);
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for (const { at, text } of lines) {
    response.write(`${JSON.stringify({ name, namespace, instance: name, timestamp: at.toISOString(), text })}\n`);
  }
  response.end();
}
