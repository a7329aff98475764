/**
 * Parts of one table per provider, held at the compute provider until all are there. A part
 * stays unacknowledged while it waits, so a sidecar that dies loses none: the broker
 * delivers them again. Each provider counts once, however often its part arrives.
 */
import { type Chain, type Envelope, ErrorCode, type Failure } from "#contracts";
import { failureEffects } from "#domain/carry-out";
import { limits } from "#domain/limits";
import { mergeParts } from "#domain/merge-parts";
import { gatherKey } from "#domain/route";
import { gatherDeadlineMs } from "#domain/time-left";
import { labelOf } from "#errors";
import type { Delivery, Disposition } from "#ports/broker";
import { type DeliverTools, decodeEnvelope, deliverEnvelope } from "./deliver.ts";

interface HeldPart {
  readonly envelope: Envelope;
  readonly settle: (disposition: Disposition) => void;
}

interface Gather {
  readonly chain: Chain;
  readonly parts: Map<string, HeldPart>;
  readonly forgetTimer: () => void;
}

export interface Gathers {
  /** The handler of the gather queue; resolves when the whole gather is settled. */
  take(delivery: Delivery): Promise<Disposition>;
  cancel(queryId: string): void;
  /** Gives every held part back to the queue. */
  stop(): void;
  readonly open: number;
}

export function createGathers(tools: DeliverTools): Gathers {
  const gathers = new Map<string, Gather>();
  /** Gathers that ended here, until their deadline: a late or repeated part of them is dropped. */
  const ended = new Map<string, number>();

  async function take(delivery: Delivery): Promise<Disposition> {
    const envelope = decodeEnvelope(delivery.body);
    const chain = envelope?.gather;
    if (
      envelope === undefined ||
      chain === undefined ||
      chain.party !== tools.party ||
      !chain.providers.includes(envelope.party)
    ) {
      return { kind: "dead-letter", reason: "ENVELOPE_INVALID: not a part of a gather here" };
    }
    const key = gatherKey(envelope, chain);
    forgetEnded(tools.clock.now());
    if (ended.has(key) || tools.cancelled.has(envelope.queryId)) {
      return { kind: "done" };
    }
    const gather = gathers.get(key) ?? open(key, chain, envelope);
    if (gather.parts.has(envelope.party)) {
      return { kind: "done" };
    }
    return new Promise((settle) => {
      gather.parts.set(envelope.party, { envelope, settle });
      void advance(key, gather);
    });
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
    const parts = [...gather.parts.values()];
    const failed = parts.map((part) => part.envelope.inputs[0]?.failure).find((failure) => failure !== undefined);
    if (failed !== undefined) {
      await endWith(key, gather, missing(gather, failed));
    } else if (parts.length === gather.chain.providers.length) {
      close(key, gather, parts[0]?.envelope.deadlineMs ?? 0);
      const merged = mergeParts(
        gather.chain,
        parts.map((part) => part.envelope),
      );
      settleAll(gather, await runMerged(merged));
    }
  }

  /** Tries again here, with the parts in hand, instead of scattering them over the retry queue. */
  async function runMerged(merged: Envelope): Promise<Disposition> {
    for (let tries = 0; ; tries++) {
      const disposition = await deliverEnvelope(merged, tries, tools);
      if (disposition.kind !== "retry") return disposition;
      await new Promise<void>((resume) => void tools.clock.after(disposition.afterMs, resume));
    }
  }

  async function giveUp(key: string): Promise<void> {
    const gather = gathers.get(key);
    if (gather === undefined) return;
    const absent = gather.chain.providers.filter((provider) => !gather.parts.has(provider));
    const message = `no part from ${absent.join(", ")} before the deadline`;
    await endWith(key, gather, { code: ErrorCode.PART_MISSING, message, party: gather.chain.party, step: "" });
  }

  async function endWith(key: string, gather: Gather, failure: Failure): Promise<void> {
    const any = [...gather.parts.values()][0]?.envelope;
    if (any === undefined) return;
    close(key, gather, any.deadlineMs);
    const merged = mergeParts(
      gather.chain,
      [...gather.parts.values()].map((part) => part.envelope),
    );
    try {
      await tools.outbox.publish(failureEffects(merged, failure));
      settleAll(gather, { kind: "done" });
    } catch {
      settleAll(gather, { kind: "return" });
      ended.delete(key);
    }
  }

  function missing(gather: Gather, failure: Failure): Failure {
    const message = `no union: ${failure.party} failed with ${labelOf(failure.code)}`;
    return { code: ErrorCode.PART_MISSING, message, party: gather.chain.party, step: gather.chain.steps[0] ?? "" };
  }

  function close(key: string, gather: Gather, deadlineMs: number): void {
    gather.forgetTimer();
    gathers.delete(key);
    ended.set(key, deadlineMs);
  }

  function forgetEnded(nowMs: number): void {
    for (const [key, deadlineMs] of ended) {
      if (deadlineMs < nowMs) ended.delete(key);
    }
  }

  return {
    take,
    cancel: (queryId) => {
      for (const [key, gather] of gathers) {
        if (key.startsWith(`${queryId}/`)) {
          close(key, gather, tools.clock.now() + limits.queryTimeoutMsMax);
          settleAll(gather, { kind: "done" });
        }
      }
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

function settleAll(gather: Gather, disposition: Disposition): void {
  for (const part of gather.parts.values()) {
    part.settle(disposition);
  }
}
