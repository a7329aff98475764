/** One virtual user: a thread that runs one iteration at a time, whose requests this side sends. */
import { MessageChannel, Worker } from "node:worker_threads";
import type { FromUser, Iteration, MetricType } from "./messages.ts";
import { send } from "./send.ts";

export interface VirtualUser {
  /** Of the script: its options and the names of its functions. */
  readonly options: unknown;
  readonly exports: readonly string[];
  /** @returns what the function gave back. @throws Error with what it threw */
  run(iteration: Iteration): Promise<unknown>;
  end(): Promise<void>;
}

export interface UserEvents {
  metric(name: string, type: MetricType): void;
  sample(metric: string, value: number, atMs: number, tags: Readonly<Record<string, string>>): void;
  log(level: string, text: string): void;
}

export interface UserOptions {
  readonly id: number;
  /** Of `bundleScript`. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly events: UserEvents;
}

/** @throws Error what the script throws as it is loaded */
export async function startVirtualUser({ id, file, environment, events }: UserOptions): Promise<VirtualUser> {
  const { port1: ours, port2: answers } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { id, environment, signal, answers };
  // The file is a bundle: what this process was started with, such as a loader, is not for it.
  const worker = new Worker(file, { workerData, transferList: [answers], execArgv: [] });
  let settle: { resolve(value: unknown): void; reject(error: Error): void } | undefined;

  async function answer(request: Extract<FromUser, { kind: "http" }>["request"]): Promise<void> {
    ours.postMessage(await send(request));
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  }

  const end = async () => {
    ours.close();
    await worker.terminate();
  };
  const ready = new Promise<Extract<FromUser, { kind: "ready" }>>((resolve, reject) => {
    worker.once("error", reject);
    worker.on("message", (message: FromUser) => {
      if (message.kind === "ready") resolve(message);
      else if (message.kind === "metric") events.metric(message.name, message.type);
      else if (message.kind === "sample") events.sample(message.metric, message.value, message.atMs, message.tags);
      else if (message.kind === "log") events.log(message.level, message.text);
      else if (message.kind === "http") void answer(message.request);
      else if (message.error === undefined) settle?.resolve(message.result);
      else settle?.reject(new Error(message.error));
    });
  });
  // After it is ready nothing waits there any more: a thread that dies fails its iteration.
  worker.on("error", (error) => settle?.reject(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", () => settle?.reject(new Error("the virtual user's thread has ended")));
  try {
    const { options, exports } = await ready;
    return {
      options,
      exports,
      run: (iteration) =>
        new Promise((resolve, reject) => {
          settle = { resolve, reject };
          worker.postMessage(iteration);
        }),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
