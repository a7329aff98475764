/** The sidecar library's client side: what a function calls. */
import { setTimeout as wait } from "node:timers/promises";
import { Metadata } from "@grpc/grpc-js";
import { type Envelope, ErrorCode, type Plan, type Query, type Reply } from "#contracts";
import type { SidecarClient } from "#contracts/sidecar";
import { DynamosError, hasCode } from "#errors";
import type { DeleteOptions, Entry } from "#ports/knowledge";
import type { Applied } from "./applied.ts";
import { callOnce, openChannel, untilConnected } from "./grpc-channel.ts";
import { fromServiceError } from "./grpc-errors.ts";

export { checkedTransfer } from "./checked-transfer.ts";
export { periodStartOf, usageKey, usedSince } from "./usage-key.ts";

export interface Kept {
  readonly id: string;
  readonly expiresInMs: number;
  readonly chunks: readonly Uint8Array[];
}

/** What the orchestrator needs of its sidecar. */
export interface SidecarApi {
  /** Streams until the consumer stops, the signal fires or the envelope's deadline passes. @throws DynamosError */
  request(envelope: Envelope, signal: AbortSignal): AsyncIterable<Reply>;
  cancel(queryId: string): Promise<void>;
  /** A transferred table's chunks, from the first on. @throws DynamosError TRANSFER_LOST, BROKER_UNAVAILABLE, CANCELLED */
  readTransfer(name: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Bytes of this party for itself: whoever knows the id finds them, until they expire. @throws DynamosError BROKER_UNAVAILABLE */
  writeTransfer(transfer: Kept): Promise<void>;
  /** It is still wanted. @throws DynamosError TRANSFER_LOST, BROKER_UNAVAILABLE */
  renewTransfer(name: string): Promise<void>;
  dropTransfer(name: string): Promise<void>;
  /** An earlier answer is about to be given again: resolves when that is on record. @throws DynamosError RECORD_UNAVAILABLE */
  recordReuse(query: Query, plan: Plan): Promise<void>;
  /** What this sidecar has on record of a query, or all; the first line names the key. @throws DynamosError NOT_FOUND, RECORD_UNAVAILABLE */
  readRecords(queryId: string, signal: AbortSignal): AsyncIterable<string>;
  /** Waits until every sidecar that is online carries out what is agreed up to this revision, or until time is up. */
  applied(revision: number, waitMs: number): Promise<Applied>;
  get(key: string): Promise<Entry | undefined>;
  /** Sorted by key, with the store's revision at that moment. */
  list(prefix: string): Promise<{ entries: Entry[]; revision: number }>;
  /** @returns the new revision. @throws DynamosError REVISION_CONFLICT */
  put(key: string, value: string, options?: DeleteOptions): Promise<number>;
  /** @returns the revision of the deletion; undefined: there was none. @throws DynamosError REVISION_CONFLICT */
  delete(key: string, options?: DeleteOptions): Promise<number | undefined>;
  isReady(): Promise<boolean>;
  close(): void;
}

/** Others hear of an endpoint that is gone a moment later. */
const stoppingTriesMax = 20;
const stoppingPauseMs = 100;

/** It was not taken: what was, and then lost its connection, has a cause. */
function isStopping(error: unknown): boolean {
  return hasCode(error, ErrorCode.FUNCTION_UNAVAILABLE) && (error as Error).cause === undefined;
}

async function* requestOf(client: SidecarClient, envelope: Envelope, signal: AbortSignal): AsyncIterable<Reply> {
  const stream = client.request({ envelope });
  const cancel = () => stream.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    for await (const { reply } of stream) {
      if (reply === undefined) throw new DynamosError(ErrorCode.INTERNAL, "a reply without content");
      yield reply;
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof DynamosError ? error : fromServiceError(error);
  } finally {
    signal.removeEventListener("abort", cancel);
    stream.cancel();
  }
}

/** @param address as `serveSidecar` gives it. Connects on the first call and again after every loss. */
export function connectSidecar(address: string): SidecarApi {
  let client = openChannel(address);
  const connected = () => untilConnected(client);

  /** A sidecar that is stopping takes no more requests, and ends those that it has: the next ones go elsewhere. */
  async function* request(envelope: Envelope, signal: AbortSignal): AsyncIterable<Reply> {
    for (let tries = 1; ; tries++) {
      await connected();
      const asked = client;
      try {
        yield* requestOf(asked, envelope, signal);
        return;
      } catch (error) {
        if (!isStopping(error) || tries === stoppingTriesMax) throw error;
      }
      // Not closed: what runs on it would be cut. It has no connection any more when that sidecar has ended.
      if (client === asked) client = openChannel(address);
      if (tries > 1) await wait(stoppingPauseMs);
    }
  }

  async function* readRecords(queryId: string, signal: AbortSignal): AsyncIterable<string> {
    await connected();
    const stream = client.readRecords({ queryId });
    const cancel = () => stream.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      for await (const { line } of stream) yield line;
    } catch (error) {
      throw fromServiceError(error);
    } finally {
      signal.removeEventListener("abort", cancel);
      stream.cancel();
    }
  }

  async function* readTransfer(name: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
    await connected();
    const stream = client.readTransfer({ name });
    const cancel = () => stream.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      for await (const { chunk } of stream) yield chunk;
    } catch (error) {
      throw fromServiceError(error);
    } finally {
      signal.removeEventListener("abort", cancel);
      stream.cancel();
    }
  }

  const call: typeof callOnce = async (run) => {
    await connected();
    return callOnce(run);
  };

  return {
    request,
    readTransfer,
    readRecords,
    recordReuse: async (query, plan) => {
      await call((deadline, done) => client.recordReuse({ query, plan }, new Metadata(), { deadline }, done));
    },
    writeTransfer: async ({ chunks, ...transfer }) => {
      const request = { ...transfer, chunks: chunks.map((chunk) => Buffer.from(chunk)) };
      await call((deadline, done) => client.writeTransfer(request, new Metadata(), { deadline }, done));
    },
    renewTransfer: async (name) => {
      await call((deadline, done) => client.renewTransfer({ name }, new Metadata(), { deadline }, done));
    },
    dropTransfer: async (name) => {
      await call((deadline, done) => client.dropTransfer({ name }, new Metadata(), { deadline }, done));
    },
    cancel: async (queryId) => {
      await call((deadline, done) => client.cancel({ queryId }, new Metadata(), { deadline }, done));
    },
    applied: (revision, waitMs) =>
      call<Applied>((deadline, done) => client.awaitApplied({ revision, waitMs }, new Metadata(), { deadline }, done)),
    get: async (key) => {
      const { entry } = await call<{ entry?: Entry | undefined }>((deadline, done) =>
        client.getKnowledge({ key }, new Metadata(), { deadline }, done),
      );
      return entry;
    },
    list: (prefix) => call((deadline, done) => client.listKnowledge({ prefix }, new Metadata(), { deadline }, done)),
    put: async (key, value, { ifRevision, also = [] } = {}) => {
      const request = { key, value, ifRevision, also: [...also] };
      const { revision } = await call<{ revision: number }>((deadline, done) =>
        client.putKnowledge(request, new Metadata(), { deadline }, done),
      );
      return revision;
    },
    delete: async (key, { ifRevision, also = [] } = {}) => {
      const request = { key, ifRevision, also: [...also] };
      const { deleted, revision } = await call<{ deleted: boolean; revision: number }>((deadline, done) =>
        client.deleteKnowledge(request, new Metadata(), { deadline }, done),
      );
      return deleted ? revision : undefined;
    },
    isReady: async () => {
      const { ready } = await callOnce<{ ready: boolean }>((deadline, done) =>
        client.health({}, new Metadata(), { deadline }, done),
      );
      return ready;
    },
    close: () => client.close(),
  };
}
