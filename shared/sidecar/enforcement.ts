/**
 * Carries out at this party what is agreed, whoever planned what: before a hop, before anything of it leaves, and at
 * once when an agreement changes. What it has carried out it says in the knowledge base, where a PUT waits for it.
 */
import { type Envelope, ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { revocationOf } from "#domain/revocation";
import { DynamosError, toDynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Log } from "#ports/log";
import type { ApprovalCheck } from "./approval-check.ts";
import type { Cancelled } from "./cancelled.ts";
import { decides, type KnowledgeCache } from "./knowledge-cache.ts";
import type { Presence } from "./presence.ts";
import { repeatedLog } from "./repeated-log.ts";

const unsaid = "this sidecar lost its place in the knowledge base, and a change may not have waited for it";

export interface Enforcement {
  /** What ends a hop or a part: it is not wanted any more, or not agreed. */
  errorOf(envelope: Envelope): DynamosError | undefined;
  /**
   * Begins to say up to where everything is carried out.
   * @param end ends what has an error; resolves when it is over
   */
  follow(end: () => Promise<void>, presence: Pick<Presence, "applied" | "isSaid">): Promise<void>;
  stop(): void;
}

export interface EnforcementOptions {
  readonly cache: KnowledgeCache;
  readonly cancelled: Cancelled;
  readonly approvals: ApprovalCheck;
  readonly clock: Clock;
  readonly log: Log;
}

export function createEnforcement({ cache, cancelled, approvals, clock, log }: EnforcementOptions): Enforcement {
  let isStopped = false;
  /** Until this sidecar is announced, what it knows is as old as its start. */
  let isWaitedFor: Presence["isSaid"] = () => true;

  function errorOf(envelope: Envelope): DynamosError | undefined {
    const gone = cancelled.errorOf(envelope) ?? approvals.errorOf(envelope);
    if (gone !== undefined || envelope.approvals.length === 0) return gone;
    if (!isWaitedFor(cache.revision)) return new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, unsaid);
    const providers = envelope.approvals.map(({ provider }) => provider);
    return revocationOf(envelope, cache.about(providers, envelope.query?.user?.name ?? ""), clock.now());
  }

  async function follow(end: () => Promise<void>, presence: Pick<Presence, "applied" | "isSaid">): Promise<void> {
    isWaitedFor = presence.isSaid;
    const outage = repeatedLog(log, clock);
    let wanted = cache.revision;
    let isBusy = false;

    async function carryOut(): Promise<void> {
      isBusy = true;
      for (let said = -1; said < wanted && !isStopped; ) {
        const revision = wanted;
        await end();
        try {
          await presence.applied(revision);
          said = revision;
          outage.worked();
        } catch (error) {
          if (isStopped) break;
          outage.warn("can't say what is carried out", { revision, reason: toDynamosError(error).message });
          await new Promise<void>((resume) => clock.after(limits.knowledgeRetryMs, resume));
        }
      }
      isBusy = false;
    }

    cache.onChange((key) => {
      if (!decides(key)) return;
      wanted = Math.max(wanted, cache.revision);
      // What is in hand is ended in the turn in which the change is seen, also while an earlier one is still said.
      if (isBusy) void end();
      else void carryOut();
    });
    await carryOut();
  }

  return {
    errorOf,
    follow,
    stop: () => {
      isStopped = true;
    },
  };
}
