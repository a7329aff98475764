/**
 * The local gateway: runs each function of a stack from the same bundle that its image holds,
 * and serves them in OpenFaaS's shapes, on the loopback interface only. For a laptop and for
 * tests; production is OpenFaaS.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import type { Stack } from "../stack/read-stack.ts";
import { createAsyncCalls } from "./async-calls.ts";
import type { Credentials } from "./basic-auth.ts";
import type { DeployedFunction } from "./deployed-function.ts";
import { FunctionTable, type FunctionTableOptions } from "./function-table.ts";
import { createProxy } from "./proxy.ts";
import { type RouteTools, route } from "./routes.ts";
import { noSecrets, secretsIn } from "./secrets.ts";
import { sendText } from "./send.ts";

export interface GatewayOptions extends FunctionTableOptions {
  /** What runs from the start; may have no functions. */
  readonly stack: Stack;
  /** Holds a folder with index.js for each handler. */
  readonly buildDir: string;
  /** Where secrets are kept, each as a file of its name; absent: there are none, and none can be made. */
  readonly secretsDir?: string;
  /** 0: a free one. */
  readonly port: number;
  /** For /system/; absent: open to read, and closed for changes. */
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

/** Resolves when every function is ready. @throws Error naming the function that is not */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { stack, buildDir, log } = options;
  const functions = new FunctionTable(options);
  const proxy = createProxy();
  let url = "";
  const asyncCalls = createAsyncCalls(() => url, log);
  const tools: RouteTools = {
    functions,
    secrets: options.secretsDir === undefined ? noSecrets : secretsIn(options.secretsDir),
    buildDir,
    proxy,
    asyncCalls,
    auth: options.auth,
    metrics: options.metrics,
  };
  const server = createServer({ noDelay: true, maxHeaderSize: 32_768 }, (request, response) => {
    route(request, response, tools).catch((error: unknown) => {
      log.log("error", "a request failed in the gateway", { reason: error instanceof Error ? error.message : "" });
      if (response.headersSent) response.destroy();
      else sendText(response, 500, "the gateway failed");
    });
  });
  const stop = async () => {
    asyncCalls.close();
    await functions.stop();
    proxy.close();
    await close(server);
  };
  try {
    url = `http://127.0.0.1:${await listen(server, options.port)}`;
    await functions.startAll(stack.functions.map((spec) => ({ spec, folder: join(buildDir, basename(spec.handler)) })));
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
