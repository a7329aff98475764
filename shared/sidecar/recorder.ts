/**
 * Writes down what a sidecar does before it has an effect: what can't be recorded does not happen. Around the
 * hop, so that neither it nor what carries it out knows of the record.
 */
import { createHash } from "node:crypto";
import {
  type Knowledge as Attached,
  type Chain,
  type Envelope,
  ErrorCode,
  type Failure,
  type Plan,
  type Query,
} from "#contracts";
import type { AuditRecord, FailureRecord } from "#domain/audit/record";
import { recordsOfGather } from "#domain/audit/records-of-gather";
import {
  aboutQuery,
  approvedRevisions,
  type Recording,
  recordOfReuse,
  recordsOfHop,
} from "#domain/audit/records-of-hop";
import { type Effect, effectsOf } from "#domain/carry-out";
import { fail } from "#domain/outcome";
import { outcomeTransfers } from "#domain/transferred";
import { type DynamosError, labelOf, toDynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Log } from "#ports/log";
import type { Records } from "#ports/records";
import type { Transfers } from "#ports/transfers";
import { dropTransfers } from "./drop-transfers.ts";
import { type HopResult, type HopTools, runHop } from "./hop.ts";

export interface Recorder {
  /**
   * Runs a hop. When this resolves, what was made of it is on record, or RECORD_UNAVAILABLE is in its place.
   * @param signal aborts with the error that ends it
   */
  hop(envelope: Envelope, tries: number, signal: AbortSignal, tools: HopTools): Promise<HopResult>;
  /** @returns why the parts may not be handed on: that can't be recorded */
  gathered(chain: Chain, parts: readonly Envelope[], effects: readonly Effect[]): Promise<Failure | undefined>;
  /** An earlier answer is about to be given again. @throws DynamosError RECORD_UNAVAILABLE */
  reused(query: Query, plan: Plan): Promise<void>;
  /** It ended otherwise than was recorded, and nothing left. Nobody waits for that to be written. */
  ended(envelope: Envelope, error: Pick<DynamosError, "code">): void;
}

export interface RecorderOptions {
  readonly records: Records;
  /** Of the sidecar's own code: SHA-256 in hexadecimal, or a version. */
  readonly build: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where nothing is recorded. */
export const unrecorded: Recorder = {
  hop: runHop,
  gathered: async () => undefined,
  reused: async () => {},
  ended: () => {},
};

export function createRecorder({ records, build, clock, log }: RecorderOptions): Recorder {
  const recording = (): Recording => ({ digest, sidecarBuild: build, nowMs: clock.now() });

  /** @returns why it is not on record */
  async function append(batch: readonly AuditRecord[], queryId: string): Promise<DynamosError | undefined> {
    try {
      await records.append(batch);
      return undefined;
    } catch (error) {
      const known = toDynamosError(error, ErrorCode.RECORD_UNAVAILABLE, "the record can't be written");
      log.log("error", "what a query does could not be recorded", { queryId, reason: known.message });
      return known;
    }
  }

  async function hop(envelope: Envelope, tries: number, signal: AbortSignal, tools: HopTools): Promise<HopResult> {
    const observed = observe(envelope, tools);
    const result = await runHop(envelope, tries, signal, observed.tools);
    const { outcome, record } = result;
    const { attached, functionBuild } = observed.seen;
    const effects = effectsOf(envelope, outcome, record);
    const made = { envelope, outcome, record, effects, attached, functionBuild };
    const recorded = append(recordsOfHop(made, recording()), envelope.queryId);
    tools.ran?.(result);
    const error = await recorded;
    // A failure tells nothing that would have to be held back.
    if (error === undefined || outcome.decision?.$case === "failure") return result;
    await dropTransfers(outcomeTransfers(outcome), tools.transfers, log);
    return { outcome: fail(error.code, error.message), record: { ...record, rows: -1 } };
  }

  /** The same tools, which notice what the step is given and who answers, and write down where a table is opened. */
  function observe(envelope: Envelope, tools: HopTools) {
    const seen: { attached: Attached | undefined; functionBuild: string } = { attached: undefined, functionBuild: "" };
    const attachedTo = (one: Envelope) => {
      seen.attached = tools.cache.attachedTo(one);
      return seen.attached;
    };
    const answeredBy = (digestOfBuild: string) => {
      seen.functionBuild = digestOfBuild;
    };
    const observing: HopTools = {
      ...tools,
      cache: { attachedTo },
      invoker: {
        steps: () => tools.invoker.steps(),
        close: () => tools.invoker.close(),
        invoke: (name, call, options) => tools.invoker.invoke(name, { ...call, answeredBy }, options),
      },
      transfers: opening(envelope, tools.transfers, () => seen.functionBuild),
      functionFor: (step) => tools.functionFor(step),
    };
    return { seen, tools: observing };
  }

  /** Its chunks leave while the step still runs: that they do is on record before the first of them. */
  function opening(envelope: Envelope, transfers: Transfers, functionBuild: () => string): Transfers {
    const from = envelope.party.toLowerCase();
    return {
      read: (name, signal) => transfers.read(name, signal),
      drop: (name) => transfers.drop(name),
      renew: (name) => transfers.renew(name),
      open: async (target) => {
        const to = target.to.toLowerCase();
        if (to !== from) {
          const about = aboutQuery(envelope, recording(), approvedRevisions(envelope), functionBuild());
          const chain = envelope.chain?.id ?? "";
          const error = await append(
            [{ ...about, kind: "release", to, what: "opened", chain, contents: [] }],
            envelope.queryId,
          );
          if (error !== undefined) throw error;
        }
        return transfers.open(target);
      },
    };
  }

  return {
    hop,
    gathered: async (chain, parts, effects) => {
      const error = await append(recordsOfGather(chain.id, parts, effects, recording()), parts[0]?.queryId ?? "");
      return error?.toFailure({ party: chain.party, step: chain.steps[0] ?? "" });
    },
    reused: async (query, plan) => {
      const error = await append([recordOfReuse(query, plan, recording())], query.id);
      if (error !== undefined) throw error;
    },
    ended: (envelope, { code }) => {
      const about = aboutQuery(envelope, recording(), approvedRevisions(envelope));
      const { step, chain, queryId } = envelope;
      const failure: FailureRecord = {
        ...about,
        kind: "failure",
        step,
        chain: chain?.id ?? "",
        failure: labelOf(code),
      };
      void append([failure], queryId);
    },
  };
}

function digest(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
