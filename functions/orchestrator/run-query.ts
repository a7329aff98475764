/** Asks one query and waits for its end: the plan's results, a refusal, a failure, the deadline or a cancel. */
import { type Envelope, ErrorCode, type Failure, type Query, Role } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError, toDynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";
import { type Answer, answerOf } from "./answer.ts";
import { type Collected, collect, isComplete, nothingCollected } from "./collect.ts";
import { within } from "./within.ts";

export interface RunOptions {
  readonly api: SidecarApi;
  readonly exchangeParty: string;
  readonly query: Query;
  /** Absolute, milliseconds since the epoch. */
  readonly deadlineMs: number;
  readonly traceparent: string;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
  /** Called after each reply. */
  readonly onProgress: (collected: Collected) => void;
}

/** Never throws: whatever ends the query is in the answer. */
export async function runQuery(options: RunOptions): Promise<Answer> {
  const { query, onProgress } = options;
  const startedAt = performance.now();
  let collected = nothingCollected;
  let cutShort: Failure | undefined;
  try {
    for await (const reply of options.api.request(requestEnvelope(options), options.signal)) {
      collected = collect(collected, reply);
      onProgress(collected);
      if (isComplete(collected)) break;
    }
  } catch (error) {
    cutShort = toDynamosError(error).toFailure();
  }
  if (cutShort === undefined && !isComplete(collected)) {
    cutShort = options.signal.aborted ? cancelled(options.signal) : nothingInTime;
  }
  if (cutShort !== undefined) await tellAll(options);
  return answerOf({ id: query.id, collected, cutShort, totalMs: performance.now() - startedAt });
}

const nothingInTime: Failure = {
  code: ErrorCode.DEADLINE_EXCEEDED,
  message: "no answer before the deadline",
  party: "",
  step: "",
};

function cancelled({ reason }: AbortSignal): Failure {
  const why = reason instanceof DynamosError ? reason.message : "the query was cancelled";
  return { code: ErrorCode.CANCELLED, message: why, party: "", step: "" };
}

/** Best effort, and not for long: what still runs ends by the deadline anyway. */
async function tellAll({ api, query }: RunOptions): Promise<void> {
  await within(
    limits.cancelWaitMsMax,
    api.cancel(query.id).catch(() => {}),
  );
}

function requestEnvelope({ query, exchangeParty, deadlineMs, traceparent }: RunOptions): Envelope {
  const steps = ["policy-enforcer", "archetype-selector"];
  return {
    queryId: query.id,
    party: exchangeParty,
    step: steps[0] ?? "",
    hop: 0,
    attempt: 1,
    part: undefined,
    deadlineMs,
    traceparent,
    approvals: [],
    chain: { id: "", party: exchangeParty, role: Role.UNSPECIFIED, archetype: "", steps, providers: [], gatherAt: "" },
    gather: undefined,
    replyTo: "",
    query,
    inputs: [{ provider: "", payload: undefined, failure: undefined }],
    knowledge: undefined,
    trail: [],
  };
}
