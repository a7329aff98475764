/** The door's side of one worker process: started, rehearsed, called once, killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Log } from "#ports/log";
import { type Frame, FrameReader, frameKinds, frameParts } from "./frame.ts";
import { residentMb } from "./resident-memory.ts";
import type { SpawnCommand } from "./spawn-command.ts";
import type { InvocationLimits } from "./step-invoker.ts";
import type { Worker } from "./worker-backend.ts";
import { nameEnd } from "./worker-end.ts";
import { WorkerOutput } from "./worker-output.ts";

export interface SpawnOptions {
  readonly command: SpawnCommand;
  readonly workerFile: string;
  /** Complete: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly log: Log;
}

/** How long the last words of a dead worker may take to arrive; a process that it left behind may hold the pipe. */
const lastWordsMs = 100;

export class SpawnedWorker implements Worker {
  readonly id: string;
  readonly pid: number;
  /** Settles when the worker says ready, or dies before it does. */
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  readonly #door: Duplex;
  readonly #memoryMb: number;
  #settleReady: { resolve: () => void; reject: (error: DynamosError) => void } | undefined;
  #settleCall: { resolve: (reply: Uint8Array) => void; reject: (error: DynamosError) => void } | undefined;
  #called = false;
  #killed = false;
  #ended = false;

  constructor(folder: string, options: SpawnOptions) {
    this.#memoryMb = options.memoryMb;
    this.#child = spawn(options.command.file, [...options.command.arguments, options.workerFile], {
      cwd: folder,
      env: { ...options.environment, TMPDIR: folder, HOME: folder },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      // A group of its own, so that what a step starts is killed with it.
      detached: true,
    });
    this.pid = this.#child.pid ?? 0;
    this.id = `${this.pid}-${randomBytes(8).toString("hex")}`;
    this.#door = this.#child.stdio[3] as Duplex;
    const output = new WorkerOutput(options.log.with({ worker: this.pid }));
    output.follow(this.#child.stdout as NonNullable<ChildProcess["stdout"]>, "stdout");
    output.follow(this.#child.stderr as NonNullable<ChildProcess["stderr"]>, "stderr");
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.gone = this.#watchEnd(output).then(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
    this.#readFrames();
  }

  call(envelope: Uint8Array, { deadlineMs, signal }: InvocationLimits): Promise<Uint8Array> {
    if (this.#called || this.#ended) {
      return Promise.reject(new DynamosError(ErrorCode.WORKER_CRASHED, "the worker was gone before it was called"));
    }
    this.#called = true;
    const cancel = () => this.#fail(new DynamosError(ErrorCode.CANCELLED, "nobody waits for this invocation"));
    const deadline = setTimeout(
      () => this.#fail(new DynamosError(ErrorCode.DEADLINE_EXCEEDED, "the step did not end before its deadline")),
      Math.max(0, deadlineMs - Date.now()),
    );
    const memory = setInterval(() => this.#checkMemory(), limits.workerMemoryPollMs);
    signal.addEventListener("abort", cancel, { once: true });
    const reply = new Promise<Uint8Array>((resolve, reject) => {
      this.#settleCall = { resolve, reject };
    });
    if (signal.aborted) {
      cancel();
    } else {
      this.#send(frameKinds.call, envelope);
    }
    return reply.finally(() => {
      clearTimeout(deadline);
      clearInterval(memory);
      signal.removeEventListener("abort", cancel);
    });
  }

  kill(): void {
    if (this.#killed) {
      return;
    }
    this.#killed = true;
    this.#killGroup();
    this.#door.destroy();
  }

  #killGroup(): void {
    // Pid 0 would be the door's own group.
    if (this.pid === 0) {
      return;
    }
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // Already gone, with all that it started.
    }
  }

  /** Ends the call or the start with a name, and the worker with it. */
  #fail(error: DynamosError): void {
    this.#settleCall?.reject(error);
    this.#settleReady?.reject(error);
    this.#settleCall = undefined;
    this.#settleReady = undefined;
    this.kill();
  }

  #checkMemory(): void {
    const usedMb = residentMb(this.pid);
    if (usedMb !== undefined && usedMb > this.#memoryMb) {
      const message = `the worker needed more than its ${this.#memoryMb} MB of memory`;
      this.#fail(new DynamosError(ErrorCode.WORKER_OUT_OF_MEMORY, message));
    }
  }

  #send(kind: (typeof frameKinds)[keyof typeof frameKinds], body: Uint8Array): void {
    const [head, rest] = frameParts(kind, body);
    this.#door.cork();
    this.#door.write(head);
    this.#door.write(rest);
    this.#door.uncork();
  }

  #readFrames(): void {
    const reader = new FrameReader(limits.messageBytesMax);
    this.#door.on("data", (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) {
          this.#take(frame);
        }
      } catch {
        this.#fail(new DynamosError(ErrorCode.WORKER_CRASHED, "the worker broke the frame protocol"));
      }
    });
    // A worker that dies with a frame on its way: its end says why.
    this.#door.on("error", () => {});
  }

  #take(frame: Frame): void {
    if (frame.kind === frameKinds.reply && this.#settleCall !== undefined) {
      this.#settleCall.resolve(frame.body);
      this.#settleCall = undefined;
    } else if (frame.kind === frameKinds.rehearsal && this.#settleReady !== undefined) {
      this.#send(frameKinds.rehearsal, frame.body);
    } else if (frame.kind === frameKinds.ready && this.#settleReady !== undefined) {
      this.#settleReady.resolve();
      this.#settleReady = undefined;
    } else if (!this.#killed) {
      throw new RangeError(`a frame of kind ${frame.kind} out of turn`);
    }
  }

  #watchEnd(output: WorkerOutput): Promise<void> {
    return new Promise((resolve) => {
      const end = (exitCode: number | null, signal: string | null) => {
        if (this.#ended) {
          return;
        }
        this.#ended = true;
        this.#fail(nameEnd({ exitCode, signal, lastWords: output.lastWords }));
        resolve();
      };
      this.#child.once("exit", (exitCode, signal) => {
        this.#killGroup();
        setTimeout(() => end(exitCode, signal), this.#killed ? 0 : lastWordsMs).unref();
      });
      this.#child.once("close", end);
      this.#child.once("error", () => end(null, null));
    });
  }
}
