/**
 * A stand-in for of-watchdog 0.10 in `http` mode, where it can't be had: one long-lived child behind a proxy.
 * Does what that was seen to do, its faults included; written after its behaviour and settings, not its source.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request as openRequest, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationMs } from "#domain/duration";

const { env } = process;
const settings = {
  port: Number(env.port || 8080),
  upstream: new URL(env.upstream_url ?? ""),
  execMs: durationMs(env.exec_timeout || "30s"),
  readMs: durationMs(env.read_timeout || "30s"),
  writeMs: durationMs(env.write_timeout || "30s"),
  settleMs: durationMs(env.healthcheck_interval || env.write_timeout || "30s"),
  maxInflight: Number(env.max_inflight || 0),
  readyPath: env.ready_path ?? "",
};
const lock = join(tmpdir(), ".lock");
let accepts = false;
let inFlight = 0;

const child = startChild();
/** Node looks at its connections so often, and by itself only every 30 s. */
const connectionsCheckingInterval = Math.min(1_000, settings.readMs);
const server = createServer({ connectionsCheckingInterval }, (request, response) => void answer(request, response));
// Of a whole request, from its first byte to its last.
server.requestTimeout = settings.readMs;
server.headersTimeout = settings.readMs;
server.listen(settings.port, () => {
  writeFileSync(lock, "");
  accepts = true;
});
process.on("SIGTERM", () => void stop());

function startChild(): ChildProcess {
  // On single spaces, without quoting.
  const [file = "", ...rest] = (env.fprocess ?? "").split(" ");
  const started = spawn(file, rest, { stdio: ["ignore", "inherit", "inherit"] });
  started.once("exit", (code, signal) => {
    // An end with 0 goes unnoticed: healthy for ever, and every call fails.
    if (code !== 0 || signal !== null) process.exit(1);
  });
  started.once("error", () => process.exit(1));
  return started;
}

async function stop(): Promise<void> {
  accepts = false;
  rmSync(lock, { force: true });
  child.kill("SIGTERM");
  await new Promise((done) => setTimeout(done, settings.settleMs));
  setTimeout(() => process.exit(0), settings.writeMs).unref();
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const isFull = settings.maxInflight > 0 && inFlight >= settings.maxInflight;
  if (request.url === "/_/health") {
    own(response, accepts ? 200 : 503, accepts ? "OK" : "");
  } else if (request.url === "/_/ready") {
    answerReady(request, response, isFull);
  } else if (isFull) {
    own(response, 429, `Concurrent request limit exceeded. Max concurrent requests: ${inFlight}\n`);
  } else {
    inFlight += 1;
    response.once("close", () => {
      inFlight -= 1;
    });
    forward(request, response, request.url ?? "/");
  }
}

function answerReady(request: IncomingMessage, response: ServerResponse, isFull: boolean): void {
  if (!accepts) own(response, 503, "lock file not found");
  else if (isFull) own(response, 429, "too many requests");
  else if (settings.readyPath === "") own(response, 200, "OK");
  else forward(request, response, settings.readyPath);
}

/** Without a text it has no type either. */
function own(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, status < 400 ? {} : { "x-openfaas-internal": "of-watchdog" }).end(text);
}

function forward(request: IncomingMessage, response: ServerResponse, path: string): void {
  const startedAt = performance.now();
  const { hostname, port } = settings.upstream;
  const { method, headers } = request;
  const passed = openRequest({ hostname, port, path, method, headers, agent: false }, (answered) => {
    clearTimeout(timer);
    if (performance.now() - startedAt > settings.writeMs) {
      // Too late for its own server: the connection ends without an answer.
      response.destroy();
      passed.destroy();
      return;
    }
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(6);
    // As Go's server: what is left of a request whose answer begins is thrown away.
    if (!request.complete) request.unpipe(passed).resume();
    response.writeHead(answered.statusCode ?? 500, { ...answered.headers, "x-duration-seconds": seconds });
    // Broken off, it is ended: without a length to compare it looks whole to whoever reads it.
    const isLengthKnown = answered.headers["content-length"] !== undefined;
    answered.once("error", () => (isLengthKnown ? response.destroy() : response.end())).pipe(response);
  });
  const timer = setTimeout(() => {
    own(response, 504, "");
    passed.destroy();
  }, timeLimit(headers["x-timeout"]));
  passed.once("error", () => {
    clearTimeout(timer);
    if (!response.headersSent) own(response, 500, "");
  });
  response.once("close", () => {
    clearTimeout(timer);
    passed.destroy();
  });
  request.pipe(passed);
}

/** A caller may shorten it. */
function timeLimit(asked: string | string[] | undefined): number {
  const most = settings.execMs || 2 ** 31 - 1;
  return typeof asked === "string" ? Math.min(durationMs(asked), most) : most;
}
