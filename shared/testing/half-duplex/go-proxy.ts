/** Go's HTTP library in front of a function, as OpenFaaS' gateway and of-watchdog are, where Go is installed. */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { findTool } from "../find-tool.ts";

/** `reverse`: httputil's own proxy; `copy`: a handler that calls, and copies what it gets. */
export type GoProxyKind = "reverse" | "copy";

export interface GoProxy {
  readonly url: string;
  stop(): Promise<void>;
}

export interface GoProxies {
  /** Path of what `start` runs. */
  readonly program: string;
  /** @param upstream URL of what it calls */
  start(kind: GoProxyKind, upstream: string): Promise<GoProxy>;
  /** As a deployed function is called: the gateway's kind before the watchdog's. */
  startBoth(upstream: string): Promise<GoProxy>;
  remove(): Promise<void>;
}

/** @param whatNot does not run without it @returns undefined: there is no Go here, which is said */
export function findGo(whatNot: string): string | undefined {
  const go = findTool("go");
  if (go === undefined) process.stderr.write(`SKIPPED: Go is not installed, ${whatNot}\n`);
  return go;
}

export async function buildGoProxies(go: string): Promise<GoProxies> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-go-"));
  const program = join(folder, "proxy");
  await promisify(execFile)(go, ["build", "-o", program, join(import.meta.dirname, "main.go")], { cwd: folder });
  async function start(kind: GoProxyKind, upstream: string): Promise<GoProxy> {
    const child = spawn(program, [kind, upstream], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((done) => child.once("exit", done));
    const port = await new Promise<string>((done, failed) => {
      createInterface(child.stdout).once("line", done);
      void ended.then(() => failed(new Error("the proxy ended before it listened")));
    });
    return {
      url: `http://127.0.0.1:${port}`,
      stop: async () => {
        child.kill("SIGKILL");
        await ended;
      },
    };
  }

  return {
    program,
    start,
    startBoth: async (upstream) => {
      const watchdog = await start("copy", upstream);
      const { url, stop } = await start("reverse", watchdog.url);
      return { url, stop: async () => void (await Promise.all([stop(), watchdog.stop()])) };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
