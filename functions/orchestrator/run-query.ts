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
  /** Of the plan: above 1 when the same query has run before. */
  readonly attempt?: number;
}

/** Never rejects: whatever ends the query is in the answer. */
export type Run<Options extends RunOptions = RunOptions> = (options: Options) => Promise<Answer>;

/** Never throws: whatever ends the query is in the answer. */
export async function runQuery(options: RunOptions): Promise<Answer> {
  const startedAt = performance.now();
  const asked = await ask(options, isComplete);
  return answerOf({ id: options.query.id, ...asked, totalMs: performance.now() - startedAt });
}

export interface Asked {
  readonly collected: Collected;
  /** Why nothing more will come, when it is not over. */
  readonly cutShort: Failure | undefined;
}

/** Until it is over. Never throws. */
export async function ask(options: RunOptions, isOver: (collected: Collected) => boolean): Promise<Asked> {
  const { onProgress } = options;
  let collected = nothingCollected;
  let cutShort: Failure | undefined;
  try {
    for await (const reply of options.api.request(requestEnvelope(options), options.signal)) {
      collected = collect(collected, reply);
      onProgress(collected);
      if (isOver(collected)) break;
    }
  } catch (error) {
    cutShort = toDynamosError(error).toFailure();
  }
  if (cutShort === undefined && !isOver(collected)) {
    cutShort = options.signal.aborted ? cancelled(options.signal) : nothingInTime;
  }
  if (cutShort !== undefined) await tellAll(options);
  return { collected, cutShort };
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

function requestEnvelope({ query, exchangeParty, deadlineMs, traceparent, attempt = 1 }: RunOptions): Envelope {
  const steps = ["policy-enforcer", "archetype-selector"];
  return {
    queryId: query.id,
    party: exchangeParty,
    step: steps[0] ?? "",
    hop: 0,
    attempt,
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
    goesOnWith: [],
  };
}
