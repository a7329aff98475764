/** A watch over gRPC that goes on where it was after its connection was lost. */
import { setTimeout as wait } from "node:timers/promises";
import type { ClientReadableStream } from "@grpc/grpc-js";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Change, Entry, Watch } from "#ports/knowledge";
import { fromServiceError } from "./grpc-errors.ts";

/** As the service streams it. */
export interface WatchMessage {
  readonly entry?: Entry | undefined;
  readonly deleted: boolean;
}

export interface RemoteWatchOptions {
  readonly open: (fromRevision: number | undefined) => ClientReadableStream<WatchMessage>;
  readonly fromRevision: number | undefined;
  readonly onEnd: () => void;
}

const againMs = 200;

export class RemoteWatch implements Watch {
  /** Settles when the other side watches, or the first try has failed. */
  readonly begun: Promise<void>;
  private readonly options: RemoteWatchOptions;
  private readonly closed = new AbortController();
  private hasBegun: () => void = () => {};
  /** The revision that was seen last, or the first one to see: a lost connection goes on from here. */
  private next: number | undefined;
  /** How many of that revision's changes were seen: it may have had more. */
  private seen = 0;
  private stream: ClientReadableStream<WatchMessage> | undefined;
  private error: DynamosError | undefined;

  constructor(options: RemoteWatchOptions) {
    this.options = options;
    this.next = options.fromRevision;
    this.begun = new Promise((resolve) => {
      this.hasBegun = resolve;
    });
    // In this very turn: what is changed next is to be seen.
    queueMicrotask(() => {
      if (!this.closed.signal.aborted) this.stream = this.subscribe();
    });
  }

  close(): void {
    this.closed.abort();
    this.stream?.cancel();
    this.hasBegun();
    this.options.onEnd();
  }

  /** Its reader gets the error. */
  fail(error: DynamosError): void {
    this.error = error;
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change> {
    // The first subscription is made by the constructor's microtask.
    await Promise.resolve();
    try {
      while (!this.closed.signal.aborted) {
        this.stream ??= this.subscribe();
        yield* this.read(this.stream);
        this.stream = undefined;
        await wait(againMs, undefined, { signal: this.closed.signal }).catch(() => {});
      }
    } finally {
      this.close();
    }
    if (this.error !== undefined) throw this.error;
  }

  private subscribe(): ClientReadableStream<WatchMessage> {
    const stream = this.options.open(this.next);
    stream.on("metadata", (metadata) => {
      const from = Number(metadata.get("knowledge-revision")[0]);
      if (this.next === undefined) this.next = from;
      this.hasBegun();
    });
    // A stream that nobody reads yet must not end the process.
    stream.on("error", () => this.hasBegun());
    return stream;
  }

  /** Until the stream ends or the connection is lost. */
  private async *read(stream: ClientReadableStream<WatchMessage>): AsyncGenerator<Change> {
    let again = this.seen;
    try {
      for await (const { entry, deleted } of stream as AsyncIterable<WatchMessage>) {
        if (entry === undefined) throw new DynamosError(ErrorCode.INTERNAL, "a change without an entry");
        if (entry.revision === this.next && again > 0) {
          again -= 1;
          continue;
        }
        again = 0;
        this.seen = entry.revision === this.next ? this.seen + 1 : 1;
        this.next = entry.revision;
        yield deleted ? { kind: "delete", key: entry.key, revision: entry.revision } : { kind: "put", entry };
      }
    } catch (error) {
      if (this.closed.signal.aborted) return;
      const known = error instanceof DynamosError ? error : fromServiceError(error);
      // Said by the other side: trying again would say the same.
      if (known.code === ErrorCode.KNOWLEDGE_UNAVAILABLE || known.code === ErrorCode.INTERNAL) throw known;
    } finally {
      stream.cancel();
    }
  }
}
