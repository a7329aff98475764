/** The tables of one invocation that are too large for messages: its inputs read, its outcome's written. */
import { createHash } from "node:crypto";
import { type Chunk, type Envelope, ErrorCode, type Outcome, type Transfer } from "#contracts";
import { mayLeave } from "#domain/egress";
import { limits } from "#domain/limits";
import { forwardResult } from "#domain/outcome";
import { destinationOf, isForAsker } from "#domain/route";
import { isEmitted, transferredInputs, withTransfer } from "#domain/transferred";
import { DynamosError } from "#errors";
import type { Transfers, TransferWriter } from "#ports/transfers";
import { checkedTransfer } from "./checked-transfer.ts";

/**
 * The chunks of all inputs, in their order.
 * @throws DynamosError TRANSFER_LOST, BROKER_UNAVAILABLE, CANCELLED
 */
export async function* readInputs(
  envelope: Envelope,
  transfers: Transfers,
  signal: AbortSignal,
): AsyncGenerator<Chunk> {
  for (const { index, transfer } of transferredInputs(envelope.inputs)) {
    const chunks = transfers.read(transfer.name, signal);
    for await (const body of checkedTransfer(transfer, chunks, (read) => shortOf(read, transfer))) {
      yield { input: index, body: Buffer.from(body) };
    }
  }
}

/** Another reader has the rest in hand: one that the broker has not yet found dead. */
function shortOf(read: number, { chunks }: Transfer): DynamosError {
  const message = `only ${read} of ${chunks} chunks of a table can be read now`;
  return new DynamosError(ErrorCode.BROKER_UNAVAILABLE, message);
}

export interface HopOutput {
  /** Gets the next bytes of the outcome's table. @throws DynamosError DENIED, RESULT_TOO_LARGE, BROKER_UNAVAILABLE */
  take(bytes: Uint8Array): Promise<void>;
  /** The outcome with the transfer that it speaks of; what was written for another outcome is dropped. */
  finish(outcome: Outcome): Promise<Outcome>;
  abandon(): Promise<void>;
}

export function hopOutput(envelope: Envelope, transfers: Transfers, nowMs: number): HopOutput {
  const hash = createHash("sha256");
  let writer: Promise<TransferWriter> | undefined;
  let isAbandoned = false;
  /** Settles with the part that is being written; never rejects. */
  let writing: Promise<unknown> = Promise.resolve();
  let chunks = 0;
  let bytes = 0;

  async function open(): Promise<TransferWriter> {
    const to = destinationOf(envelope);
    const refusal = to === envelope.party ? undefined : mayLeave(envelope);
    if (refusal !== undefined) throw new DynamosError(ErrorCode.DENIED, refusal);
    const leftMs = Math.max(0, envelope.deadlineMs - nowMs);
    // Of an asynchronous query, the asker keeps and renews it for whoever fetches the answer; else it drops it earlier.
    const keptMs = isForAsker(envelope) ? limits.transferUnrenewedMs : 0;
    return transfers.open({ from: envelope.party, to, expiresInMs: leftMs + keptMs + limits.transferGraceMs });
  }

  function take(part: Uint8Array): Promise<void> {
    const taken = write(part);
    writing = taken.catch(() => {});
    return taken;
  }

  async function write(part: Uint8Array): Promise<void> {
    bytes += part.length;
    if (bytes > limits.transferBytesMax) {
      const message = `more than ${limits.transferBytesMax} bytes: add a LIMIT, name fewer columns or aggregate`;
      throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, message);
    }
    checkWanted();
    writer ??= open();
    const opened = await writer;
    hash.update(part);
    for (let at = 0; at < part.length; at += limits.transferChunkBytesMax) {
      checkWanted();
      chunks += 1;
      await opened.write(part.subarray(at, at + limits.transferChunkBytesMax));
    }
  }

  /** A step in this process can't be killed, and goes on after its call was given up. */
  function checkWanted(): void {
    if (isAbandoned) throw new DynamosError(ErrorCode.CANCELLED, "nobody waits for this table any more");
  }

  async function abandon(): Promise<void> {
    isAbandoned = true;
    // What is on its way out when the hop is ended is out when this resolves.
    await writing;
    try {
      if (writer !== undefined) await transfers.drop((await writer).name);
    } catch {
      // What can't be dropped now expires.
    }
  }

  async function finish(outcome: Outcome): Promise<Outcome> {
    const { decision } = outcome;
    const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
    if (content?.$case !== "result" || !isEmitted(content.value.table)) {
      await abandon();
      return outcome;
    }
    if (writer === undefined) {
      throw new DynamosError(ErrorCode.INTERNAL, "the step speaks of a table that it did not send");
    }
    const { name, end } = await writer;
    await end();
    const value = withTransfer(content.value, { name, chunks, bytes, sha256: hash.digest() });
    return forwardResult(value, decision?.$case === "forward" ? decision.value.dataRevision : "");
  }

  return { take, finish, abandon };
}
