/**
 * The local gateway: runs each function of a stack from the same bundle that its image holds,
 * and serves them in OpenFaaS's shapes, on the loopback interface only. For a laptop and for
 * tests; production is OpenFaaS.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log } from "#ports/log";
import type { Stack, StackFunction } from "../stack/read-stack.ts";
import { createAsyncCalls } from "./async-calls.ts";
import type { Credentials } from "./basic-auth.ts";
import { type DeployedFunction, deploy } from "./deployed-function.ts";
import { createProxy } from "./proxy.ts";
import { type RouteTools, route } from "./routes.ts";
import { sendText } from "./send.ts";

export interface GatewayOptions {
  readonly stack: Stack;
  /** Holds a folder with index.js for each handler. */
  readonly buildDir: string;
  /** 0: a free one. */
  readonly port: number;
  /** What a function gets beside the environment of the stack. */
  readonly environmentFor: (fn: StackFunction) => Readonly<Record<string, string>>;
  readonly log: Log;
  /** For /system/; absent: open, as everything else on the loopback interface. */
  readonly auth?: Credentials;
  /** Served at /metrics. */
  readonly metrics?: RouteTools["metrics"];
}

export interface Gateway {
  readonly url: string;
  /** As if its pods were gone; the function stays listed. */
  stopFunction(name: string): Promise<void>;
  startFunction(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Processes that start at the same time: more only get in each other's way. */
const startsAtOnceMax = 4;

/** Resolves when every function is ready. @throws Error naming the function that is not */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { stack, buildDir, environmentFor, log } = options;
  const functions = new Map(
    stack.functions.map((spec) => [spec.name, deploy(spec, buildDir, environmentFor(spec), log)]),
  );
  const proxy = createProxy();
  let url = "";
  const asyncCalls = createAsyncCalls(() => url, log);
  const server = createServer({ noDelay: true, maxHeaderSize: 32_768 }, (request, response) => {
    route(request, response, { functions, proxy, asyncCalls, auth: options.auth, metrics: options.metrics }).catch(
      (error: unknown) => {
        log.log("error", "a request failed in the gateway", { reason: error instanceof Error ? error.message : "" });
        if (response.headersSent) response.destroy();
        else sendText(response, 500, "the gateway failed");
      },
    );
  });
  const stop = async () => {
    asyncCalls.close();
    await Promise.all([...functions.values()].map((fn) => fn.process.stop()));
    proxy.close();
    await close(server);
  };
  try {
    url = `http://127.0.0.1:${await listen(server, options.port)}`;
    await startAll([...functions.values()]);
  } catch (error) {
    await stop();
    throw error;
  }
  const named = (name: string): DeployedFunction => {
    const fn = functions.get(name);
    if (fn === undefined) throw new RangeError(`there is no function ${name}`);
    return fn;
  };
  return {
    url,
    stopFunction: (name) => named(name).process.stop(),
    startFunction: (name) => named(name).process.start(),
    stop,
  };
}

/** After a failure no further one is started, and those in hand have ended when it is thrown. */
async function startAll(functions: DeployedFunction[]): Promise<void> {
  const waiting = [...functions];
  const failures: unknown[] = [];
  const starter = async () => {
    for (let fn = waiting.shift(); fn !== undefined && failures.length === 0; fn = waiting.shift()) {
      await fn.process.start().catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: startsAtOnceMax }, starter));
  if (failures.length > 0) throw failures[0];
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`port ${port} is in use: choose another with --port, 0 finds a free one`)
          : error,
      );
    });
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
