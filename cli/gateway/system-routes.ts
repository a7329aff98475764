/** What stands under /system/: OpenFaaS's REST API, as faas-cli and the sidecars use it. Errors are text. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { version } from "#domain/version";
import { type Credentials, isAllowed } from "./basic-auth.ts";
import { type ChangeTools, putFunction, removeFunction, scaleFunction } from "./change-functions.ts";
import { functionStatus } from "./deployed-function.ts";
import { checkNamespace } from "./deployment-request.ts";
import { sendLogs } from "./logs-route.ts";
import { openfaasNamespace } from "./namespace.ts";
import { BodyTooLarge, readJson } from "./read-json.ts";
import { changeSecret, listSecrets } from "./secrets-route.ts";
import { refuseBody, sendJson, sendText } from "./send.ts";

export interface SystemTools extends ChangeTools {
  /** Absent: everybody may read, nobody may change anything. */
  readonly auth: Credentials | undefined;
}

export interface Target {
  readonly pathname: string;
  readonly query: URLSearchParams;
}

export async function system(
  request: IncomingMessage,
  response: ServerResponse,
  target: Target,
  tools: SystemTools,
): Promise<void> {
  if (tools.auth !== undefined && !isAllowed(request.headers.authorization, tools.auth)) {
    response.setHeader("www-authenticate", 'Basic realm="Restricted"');
    return refuseBody(request, response, 401, "invalid credentials");
  }
  try {
    checkNamespace(target.query.get("namespace") ?? undefined);
    if (request.method === "GET") await read(target, response, tools);
    else if (tools.auth === undefined) refuseBody(request, response, 403, closed);
    else await change(request, response, target.pathname, tools);
  } catch (error) {
    if (error instanceof BodyTooLarge) refuseBody(request, response, 413, error.message);
    else if (error instanceof RangeError) sendText(response, 400, error.message);
    else throw error;
  }
}

/** Who may deploy runs code as the user of this gateway, and the loopback interface is everybody's of the machine. */
const closed = "nobody may change this gateway: start dynamos up with a password in OPENFAAS_PASSWORD";

async function read({ pathname, query }: Target, response: ServerResponse, tools: SystemTools): Promise<void> {
  const { functions, secrets } = tools;
  const name = /^\/system\/function\/([-a-z0-9]+)$/.exec(pathname)?.[1];
  if (name !== undefined) {
    const fn = functions.get(name);
    if (fn === undefined) response.writeHead(404).end();
    else sendJson(response, 200, functionStatus(fn));
  } else if (pathname === "/system/functions") sendJson(response, 200, functions.list().map(functionStatus));
  else if (pathname === "/system/secrets") await listSecrets(response, secrets);
  else if (pathname === "/system/info") sendJson(response, 200, info);
  else if (pathname === "/system/namespaces") sendJson(response, 200, [openfaasNamespace]);
  else if (pathname === "/system/logs") sendLogs(query, response, (wanted) => functions.get(wanted));
  else sendText(response, 404, "404 page not found");
}

async function change(
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
  tools: SystemTools,
): Promise<void> {
  const { method } = request;
  const scaled = /^\/system\/scale-function\/([-a-z0-9]+)$/.exec(pathname)?.[1];
  if (pathname === "/system/functions") {
    if (method === "POST") return putFunction("create", await readJson(request), response, tools);
    if (method === "PUT") return putFunction("update", await readJson(request), response, tools);
    if (method === "DELETE") return removeFunction(await readJson(request), response, tools);
  } else if (pathname === "/system/secrets") {
    if (method === "POST" || method === "PUT" || method === "DELETE") {
      return changeSecret(method, await readJson(request), response, tools.secrets);
    }
  } else if (scaled !== undefined) {
    if (method === "POST") return scaleFunction(scaled, await readJson(request), response, tools);
  } else return refuseBody(request, response, 404, "404 page not found");
  refuseBody(request, response, 405, "method not allowed");
}

const info = {
  provider: {
    provider: "dynamos-local",
    name: "dynamos-local",
    orchestration: "processes",
    version: { release: version, sha: "" },
  },
  version: { release: version, sha: "", commit_message: "" },
  arch: process.arch === "x64" ? "x86_64" : process.arch,
};
