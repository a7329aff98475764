/** A step as its own function process, bundled as the build does it, for tests of the runtime. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Envelope, Outcome } from "#contracts";
import { bundleFunction } from "../../cli/build/bundle-function.ts";

const home = resolve(import.meta.dirname, "../..");

export interface Answer {
  readonly status: number;
  readonly outcome: Outcome;
  /** Pid and start nonce of the process that ran the step. */
  readonly worker: string;
}

/** What a test wants of its envelope; the rest is as the step expects it. */
export interface EnvelopeChange {
  readonly queryId?: string;
  readonly step?: string;
  readonly deadlineMs?: number;
  readonly query?: { readonly sql: string };
}

export interface StartedFunction {
  readonly url: string;
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** What it wrote to standard error. */
  log(): string;
  call(envelope: EnvelopeChange, signal?: AbortSignal): Promise<Answer>;
  stop(): Promise<void>;
}

/** @param handler of the checkout, e.g. `shared/runtime/testing-steps/tell-tale.ts` */
export async function startFunction(
  handler: string,
  environment: Record<string, string> = {},
): Promise<StartedFunction> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-function-"));
  await bundleFunction(join(home, handler), folder);
  const child = spawn(process.execPath, [join(folder, "index.js")], {
    cwd: folder,
    env: { PATH: process.env.PATH, TMPDIR: folder, http_port: "0", ...environment },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let written = "";
  child.stderr?.on("data", (chunk) => {
    written += chunk;
  });
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  const port = await new Promise<number>((done, failed) => {
    let listening = 0;
    child.on("message", ({ event, port: heard }: { event: string; port: number }) => {
      if (event === "listening") listening = heard;
      if (event === "ready") done(listening);
    });
    void exited.then((code) => failed(new Error(`the function ended with ${code}: ${written}`)));
  }).catch(async (error) => {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  const step = handler.split("/").at(-1)?.replace(".ts", "") ?? "";

  return {
    url,
    child,
    exited,
    log: () => written,
    call: async (partial, signal) => {
      const envelope = Envelope.fromPartial({ queryId: "q1", step, deadlineMs: Date.now() + 20_000, ...partial });
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/x-protobuf" },
        body: new Uint8Array(Envelope.encode(envelope).finish()),
        ...(signal === undefined ? {} : { signal }),
      });
      return {
        status: response.status,
        outcome: Outcome.decode(new Uint8Array(await response.arrayBuffer())),
        worker: response.headers.get("x-dynamos-worker") ?? "",
      };
    },
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
