/**
 * Parts of one table per provider, held at the compute provider until all are there. Parts stay
 * unacknowledged while they wait, so a sidecar that dies loses none: the broker delivers them to
 * the next one. The gather queue has one active consumer, so that the parts of a query meet; what
 * they become is published to the first step's queue, whose work all sidecars of the party share.
 */
import { type Chain, type Envelope, ErrorCode, type Failure } from "#contracts";
import { type Effect, failureEffects, mergedEffect } from "#domain/carry-out";
import { limits } from "#domain/limits";
import { mergeParts } from "#domain/merge-parts";
import { gatherKey } from "#domain/route";
import { gatherDeadlineMs } from "#domain/time-left";
import { transferNames } from "#domain/transferred";
import { type DynamosError, labelOf, toDynamosError } from "#errors";
import type { Delivery, Disposition } from "#ports/broker";
import type { Clock } from "#ports/clock";
import type { Log } from "#ports/log";
import type { Transfers } from "#ports/transfers";
import { dropTransfers } from "./drop-transfers.ts";
import type { Outbox } from "./outbox.ts";
import { isPoison, putAside, readEnvelope } from "./poison.ts";
import type { Recorder } from "./recorder.ts";

export interface GatherTools {
  readonly party: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What ends a part: it is not wanted any more, or not agreed. */
  readonly errorOf: (envelope: Envelope) => DynamosError | undefined;
  readonly outbox: Outbox;
  readonly recorder: Recorder;
  readonly transfers: Transfers;
}

interface HeldPart {
  readonly envelope: Envelope;
  readonly settle: (disposition: Disposition) => void;
}

interface Gather {
  readonly chain: Chain;
  readonly parts: Map<string, HeldPart>;
  readonly forgetTimer: () => void;
}

interface Ended {
  readonly untilMs: number;
  /** Of the parts that went on: a repeated part may refer to them. */
  readonly transfers: readonly string[];
}

export interface Gathers {
  /** The handler of the gather queue; resolves when the whole gather is settled. */
  take(delivery: Delivery): Promise<Disposition>;
  /** Ends those that hold a part which is not wanted or not agreed any more. */
  end(): Promise<void>;
  /** Gives every held part back to the queue. */
  stop(): void;
  readonly open: number;
}

const notOurPart = { code: ErrorCode.ENVELOPE_INVALID, message: "not a part of a gather here" };

export function createGathers(tools: GatherTools): Gathers {
  const gathers = new Map<string, Gather>();
  /** Gathers that ended here, until their deadline: a late or repeated part of them is dropped. */
  const ended = new Map<string, Ended>();

  async function take(delivery: Delivery): Promise<Disposition> {
    const envelope = readEnvelope(delivery);
    if (isPoison(envelope)) return putAside(delivery, envelope, tools);
    const chain = envelope.gather;
    if (chain === undefined || chain.party !== tools.party || !chain.providers.includes(envelope.party)) {
      return putAside(delivery, notOurPart, tools);
    }
    const key = gatherKey(envelope, chain);
    forgetEnded(tools.clock.now());
    const over = ended.get(key);
    if (over !== undefined || tools.errorOf(envelope)?.code === ErrorCode.CANCELLED) {
      return repeated(envelope, over?.transfers ?? []);
    }
    const gather = gathers.get(key) ?? open(key, chain, envelope);
    const twin = gather.parts.get(envelope.party);
    if (twin !== undefined) {
      return repeated(envelope, transferNames(twin.envelope.inputs));
    }
    return new Promise((settle) => {
      gather.parts.set(envelope.party, { envelope, settle });
      void advance(key, gather);
    });
  }

  /** Its rows count once; those that it brings along are not needed. */
  async function repeated({ inputs }: Envelope, inUse: readonly string[]): Promise<Disposition> {
    await drop(transferNames(inputs).filter((name) => !inUse.includes(name)));
    return { kind: "done" };
  }

  function open(key: string, chain: Chain, envelope: Envelope): Gather {
    const nowMs = tools.clock.now();
    const leftMs = gatherDeadlineMs(envelope.deadlineMs, nowMs) - nowMs;
    const forgetTimer = tools.clock.after(Math.max(0, leftMs), () => void giveUp(key));
    const gather: Gather = { chain, parts: new Map(), forgetTimer };
    gathers.set(key, gather);
    return gather;
  }

  async function advance(key: string, gather: Gather): Promise<void> {
    const parts = envelopesOf(gather);
    const failed = parts.map(failureOf).find((failure) => failure !== undefined);
    if (failed !== undefined) {
      await endWith(key, gather, missing(gather, failed));
    } else if (parts.length === gather.chain.providers.length) {
      const merged = mergeParts(gather.chain, parts);
      const effects = [mergedEffect(merged)];
      const unrecorded = await tools.recorder.gathered(gather.chain, parts, effects);
      // Ended meanwhile, by a change, a cancel or the deadline.
      if (gathers.get(key) !== gather) return;
      const stopped = unrecorded ?? parts.map(failureOf).find((failure) => failure !== undefined);
      if (stopped !== undefined) await endWith(key, gather, stopped);
      else await end(key, gather, effects, transferNames(merged.inputs));
    }
  }

  /** Of a part that failed where it comes from, or that may not be used here. */
  function failureOf(part: Envelope): Failure | undefined {
    return part.inputs[0]?.failure ?? tools.errorOf(part)?.toFailure({ party: part.party });
  }

  async function giveUp(key: string): Promise<void> {
    const gather = gathers.get(key);
    if (gather === undefined) return;
    const absent = gather.chain.providers.filter((provider) => !gather.parts.has(provider));
    const message = `no part from ${absent.join(", ")} before the deadline`;
    await endWith(key, gather, { code: ErrorCode.PART_MISSING, message, party: gather.chain.party, step: "" });
  }

  async function endWith(key: string, gather: Gather, failure: Failure): Promise<void> {
    const parts = envelopesOf(gather);
    if (parts[0] !== undefined) tools.recorder.ended(parts[0], failure);
    if (await end(key, gather, failureEffects(mergeParts(gather.chain, parts), failure), [])) {
      await drop(parts.flatMap((part) => transferNames(part.inputs)));
    }
  }

  /** The effects first, the parts after them: what is not confirmed is gathered again. */
  async function end(key: string, gather: Gather, effects: Effect[], transfers: readonly string[]): Promise<boolean> {
    const untilMs = envelopesOf(gather)[0]?.deadlineMs ?? 0;
    close(key, gather, { untilMs, transfers });
    try {
      await tools.outbox.publish(effects);
      settleAll(gather, { kind: "done" });
      return true;
    } catch (error) {
      ended.delete(key);
      const { label, message } = toDynamosError(error);
      settleAll(gather, { kind: "retry", afterMs: limits.gatherRetryMs, reason: `${label}: ${message}` });
      return false;
    }
  }

  function missing(gather: Gather, failure: Failure): Failure {
    // Whoever asked plans again after that, so it must not look like another one.
    if (failure.code === ErrorCode.REVOKED) return failure;
    const message = `no union: ${failure.party} failed with ${labelOf(failure.code)}`;
    return { code: ErrorCode.PART_MISSING, message, party: gather.chain.party, step: gather.chain.steps[0] ?? "" };
  }

  function close(key: string, gather: Gather, as: Ended): void {
    gather.forgetTimer();
    gathers.delete(key);
    ended.set(key, as);
  }

  function forgetEnded(nowMs: number): void {
    for (const [key, { untilMs }] of ended) {
      if (untilMs < nowMs) ended.delete(key);
    }
  }

  function drop(names: readonly string[]): Promise<void> {
    return dropTransfers(names, tools.transfers, tools.log);
  }

  return {
    take,
    end: async () => {
      const ending = [...gathers].map(async ([key, gather]) => {
        const error = envelopesOf(gather)
          .map(tools.errorOf)
          .find((one) => one !== undefined);
        if (error === undefined) return;
        if (error.code !== ErrorCode.CANCELLED) return advance(key, gather);
        close(key, gather, { untilMs: tools.clock.now() + limits.queryTimeoutMsMax, transfers: [] });
        void drop(envelopesOf(gather).flatMap(({ inputs }) => transferNames(inputs)));
        settleAll(gather, { kind: "done" });
      });
      await Promise.all(ending);
    },
    stop: () => {
      for (const [key, gather] of gathers) {
        gather.forgetTimer();
        gathers.delete(key);
        settleAll(gather, { kind: "return" });
      }
    },
    get open() {
      return gathers.size;
    },
  };
}

function envelopesOf(gather: Gather): Envelope[] {
  return [...gather.parts.values()].map(({ envelope }) => envelope);
}

function settleAll(gather: Gather, disposition: Disposition): void {
  for (const part of gather.parts.values()) {
    part.settle(disposition);
  }
}
