/** The door's side of one worker process, whoever started it: rehearsed, called once, killed. */
import { randomBytes } from "node:crypto";
import { rm, rmdir } from "node:fs/promises";
import type { Duplex, Readable } from "node:stream";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError, toDynamosError } from "#errors";
import type { Log } from "#ports/log";
import { type Frame, type FrameKind, FrameReader, frameKinds, writeFrame } from "./frame.ts";
import { residentMb } from "./resident-memory.ts";
import type { Call, InvocationLimits } from "./step-invoker.ts";
import type { Worker } from "./worker-backend.ts";
import { nameEnd, type ProcessEnd } from "./worker-end.ts";
import { WorkerOutput } from "./worker-output.ts";

export interface WorkerProcess {
  /** 0: there is none. */
  readonly pid: number;
  /** Carries frames. */
  readonly door: Duplex;
  readonly outputs: readonly (readonly [stream: Readable, name: "stdout" | "stderr"])[];
  readonly ended: Promise<ProcessEnd>;
  /** Its own, removed after its end. */
  readonly folder: string;
  readonly memoryMb: number;
  readonly log: Log;
}

/** How long the last words of a dead worker may take to arrive; a process that it left behind may hold the pipe. */
const lastWordsMs = 100;
const noBytes = new Uint8Array(0);

export class FramedWorker implements Worker {
  readonly id: string;
  readonly pid: number;
  /** Settles when the worker says ready, or dies before it does. */
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  readonly #door: Duplex;
  readonly #memoryMb: number;
  #settleReady: { resolve: () => void; reject: (error: DynamosError) => void } | undefined;
  #settleCall: { resolve: (reply: Uint8Array) => void; reject: (error: DynamosError) => void } | undefined;
  #take: Call["take"] = async () => {};
  #handOn: Call["handOn"];
  #called = false;
  #killed = false;
  #exited = false;
  #ended = false;

  constructor({ pid, door, outputs, ended, folder, memoryMb, log }: WorkerProcess) {
    this.#memoryMb = memoryMb;
    this.pid = pid;
    this.id = `${pid}-${randomBytes(8).toString("hex")}`;
    this.#door = door;
    const output = new WorkerOutput(log.with({ worker: pid }));
    for (const [stream, name] of outputs) output.follow(stream, name);
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // Nobody may be waiting for it when it fails.
    this.ready.catch(() => {});
    const lastWords = Promise.all(outputs.map(([stream]) => closed(stream)));
    this.gone = this.#watchEnd(ended, lastWords, output).then(() =>
      // Nearly always it is empty, and that is one call of the system.
      rmdir(folder).catch(() => rm(folder, { recursive: true, force: true, maxRetries: 3 })),
    );
    void this.#readFrames();
  }

  call(call: Call, { deadlineMs, signal }: InvocationLimits): Promise<Uint8Array> {
    if (this.#called || this.#ended) {
      return Promise.reject(new DynamosError(ErrorCode.WORKER_CRASHED, "the worker was gone before it was called"));
    }
    this.#called = true;
    this.#take = call.take;
    this.#handOn = call.handOn;
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
      void this.#sendAll(call);
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
    // Its pid may be another's by then; the group is its own as long as one is left in it.
    for (const target of this.#exited ? [-this.pid] : [-this.pid, this.pid]) {
      try {
        process.kill(target, "SIGKILL");
      } catch {
        // Already gone, or not yet a group.
      }
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

  /** The worker may reply before it has read everything: then the rest stays unread. */
  async #sendAll({ envelope, chunks }: Call): Promise<void> {
    try {
      await this.#send(frameKinds.call, envelope);
      for await (const chunk of chunks) {
        if (this.#settleCall === undefined) return;
        await this.#send(frameKinds.chunk, chunk);
      }
      await this.#send(frameKinds.inputsEnd, noBytes);
    } catch (error) {
      this.#fail(toDynamosError(error));
    }
  }

  #send(kind: FrameKind, body: Uint8Array): Promise<void> {
    return writeFrame(this.#door, kind, body);
  }

  /** Reads no further while a chunk waits to be taken, so that the worker waits too. */
  async #readFrames(): Promise<void> {
    const reader = new FrameReader(limits.messageBytesMax);
    // A worker that dies with a frame on its way: its end says why.
    this.#door.on("error", () => {});
    try {
      for await (const bytes of this.#door) {
        for (const frame of reader.push(bytes)) await this.#receive(frame);
      }
    } catch (error) {
      if (error instanceof DynamosError) this.#fail(error);
      else if (error instanceof RangeError) {
        this.#fail(new DynamosError(ErrorCode.WORKER_CRASHED, "the worker broke the frame protocol"));
      }
    }
  }

  async #receive(frame: Frame): Promise<void> {
    if (frame.kind === frameKinds.chunk && this.#settleCall !== undefined) {
      await this.#take(frame.body);
    } else if (frame.kind === frameKinds.handedOn && this.#settleCall !== undefined && this.#handOn !== undefined) {
      await this.#handOn(frame.body);
    } else if (frame.kind === frameKinds.reply && this.#settleCall !== undefined) {
      this.#settleCall.resolve(frame.body);
      this.#settleCall = undefined;
    } else if (frame.kind === frameKinds.rehearsal && this.#settleReady !== undefined) {
      await this.#send(frameKinds.rehearsal, frame.body);
    } else if (frame.kind === frameKinds.ready && this.#settleReady !== undefined) {
      this.#settleReady.resolve();
      this.#settleReady = undefined;
    } else if (!this.#killed) {
      throw new RangeError(`a frame of kind ${frame.kind} out of turn`);
    }
  }

  async #watchEnd(ended: Promise<ProcessEnd>, lastWords: Promise<unknown>, output: WorkerOutput): Promise<void> {
    const end = await ended;
    this.#exited = true;
    this.#killGroup();
    await Promise.race([lastWords, after(this.#killed ? 0 : lastWordsMs)]);
    this.#ended = true;
    this.#fail(nameEnd({ ...end, lastWords: output.lastWords }));
  }
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
