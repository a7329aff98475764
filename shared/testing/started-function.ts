/** A step as its own function process, bundled as the build does it, for tests of the runtime. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Envelope, Outcome } from "#contracts";
import { bundleFunction } from "../../cli/build/bundle-function.ts";
import { type StartedBundle, startBundle } from "./started-bundle.ts";

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

export interface StartedFunction extends StartedBundle {
  /** Of its bundle. */
  readonly folder: string;
  call(envelope: EnvelopeChange, signal?: AbortSignal): Promise<Answer>;
}

/** @param handler of the checkout, e.g. `shared/runtime/testing-steps/tell-tale.ts` */
export async function startFunction(
  handler: string,
  environment: Record<string, string> = {},
): Promise<StartedFunction> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-function-"));
  await bundleFunction(join(home, handler), folder);
  const started = await startBundle(folder, environment).catch(async (error) => {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  });
  const step = handler.split("/").at(-1)?.replace(".ts", "") ?? "";

  return {
    ...started,
    folder,
    call: async (partial, signal) => {
      const envelope = Envelope.fromPartial({ queryId: "q1", step, deadlineMs: Date.now() + 20_000, ...partial });
      const response = await fetch(started.url, {
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
      await started.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
