/** One hop: knowledge attached, the function invoked, its outcome read. Every way to go wrong becomes a failure by name. */
import { Envelope, ErrorCode, type HopRecord, Outcome, type Usage } from "#contracts";
import { fail } from "#domain/outcome";
import { invocationDeadlineMs } from "#domain/time-left";
import { outcomeTransfers, transferNames, withoutNames } from "#domain/transferred";
import { DynamosError, toDynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { DeployedStep, Invocation, Invoker } from "#ports/invoker";
import type { Transfers } from "#ports/transfers";
import { type HopOutput, hopOutput, readInputs } from "./hop-tables.ts";
import type { KnowledgeCache } from "./knowledge-cache.ts";

export interface HopTools {
  readonly party: string;
  readonly invoker: Invoker;
  readonly clock: Clock;
  readonly cache: Pick<KnowledgeCache, "attachedTo">;
  /** What ends a hop: it is not wanted any more, or not agreed. */
  readonly errorOf: (envelope: Envelope) => DynamosError | undefined;
  readonly transfers: Transfers;
  /** Of the query, at the providers that count. */
  readonly usage: (envelope: Envelope) => Promise<Usage[]>;
  /** The function that serves a step here, as last deployed. */
  functionFor(step: string): DeployedStep | undefined;
  /** Absent: the process of this hop may go on with no other. */
  readonly fused?: FusedProcess;
  /** Hears what was made of it before that is on record: nothing may be published of it until then. */
  readonly ran?: (result: HopResult) => void;
}

/** One that may run the chain's next steps too. */
export interface FusedProcess {
  /** For the envelope of the first hop. */
  readonly goesOnWith: readonly string[];
  /** It has handed on the outcome that was asked for last, and goes on. */
  readonly isGoingOn: boolean;
}

export interface HopResult {
  readonly outcome: Outcome;
  readonly record: HopRecord;
}

/** @param signal aborts with the error that ends it */
export async function runHop(
  envelope: Envelope,
  tries: number,
  signal: AbortSignal,
  tools: HopTools,
): Promise<HopResult> {
  const takenAtMs = tools.clock.now();
  const startedAt = performance.now();
  const outcome = await outcomeOf(envelope, takenAtMs, signal, tools);
  const record: HopRecord = {
    party: envelope.party,
    step: envelope.step,
    hop: envelope.hop,
    chain: envelope.chain?.id ?? "",
    takenAtMs,
    invokedMs: performance.now() - startedAt,
    rows: rowsOf(outcome),
    tries: tries + 1,
    dataRevision: outcome.decision?.$case === "forward" ? outcome.decision.value.dataRevision : "",
  };
  return { outcome, record };
}

async function outcomeOf(envelope: Envelope, nowMs: number, signal: AbortSignal, tools: HopTools): Promise<Outcome> {
  const ended = tools.errorOf(envelope);
  if (ended !== undefined) {
    return fail(ended.code, ended.message);
  }
  if (envelope.deadlineMs <= nowMs) {
    return fail(ErrorCode.DEADLINE_EXCEEDED, `the deadline passed before ${envelope.step} began`);
  }
  const step = tools.functionFor(envelope.step);
  if (envelope.party !== tools.party || step === undefined) {
    return fail(ErrorCode.ENVELOPE_INVALID, `${tools.party} does not serve ${envelope.step} of ${envelope.party}`);
  }
  const output = hopOutput(envelope, tools.transfers, nowMs);
  try {
    const usage = await usageFor(envelope, tools);
    const invoked = await tools.invoker.invoke(step.name, invocationOf(envelope, usage, tools, output, signal), {
      deadlineMs: invocationDeadlineMs(envelope, nowMs),
      signal,
    });
    const outcome = Outcome.decode(invoked);
    if (tools.fused?.isGoingOn !== true) return await output.finish(placed(outcome, envelope));
    // Its table stays there for the next step; what came of it all the same is of no use.
    await output.abandon();
    if (outcomeTransfers(outcome).length === 0) return outcome;
    throw new DynamosError(ErrorCode.INTERNAL, "the step speaks of a table that it did not send");
  } catch (error) {
    await output.abandon();
    const cause = signal.reason instanceof DynamosError ? signal.reason : error;
    const known = toDynamosError(cause, ErrorCode.INTERNAL, `${step.name} answered with what is not an outcome`);
    return fail(known.code, known.message);
  }
}

/** The door of a function that runs several steps names its own. */
function placed({ decision }: Outcome, { step }: Envelope): Outcome {
  if (decision?.$case !== "failure") return { decision };
  return { decision: { $case: "failure", value: { ...decision.value, step } } };
}

/** A query counts where it is decided on: in the control chain, before any of its hops. */
async function usageFor(envelope: Envelope, tools: HopTools): Promise<Usage[]> {
  return envelope.chain?.id === "" && envelope.hop === 0 ? tools.usage(envelope) : [];
}

function invocationOf(
  envelope: Envelope,
  usage: readonly Usage[],
  tools: HopTools,
  output: HopOutput,
  signal: AbortSignal,
): Invocation {
  const known = tools.cache.attachedTo(envelope);
  const attached: Envelope = {
    ...withoutNames(envelope),
    knowledge: { ...known, usage: [...known.usage, ...usage] },
    goesOnWith: [...(tools.fused?.goesOnWith ?? [])],
  };
  const isTransferred = transferNames(envelope.inputs).length > 0;
  return {
    envelope: Envelope.encode(attached).finish(),
    ...(isTransferred ? { chunks: readInputs(envelope, tools.transfers, signal) } : {}),
    take: output.take,
  };
}

function rowsOf(outcome: Outcome): number {
  if (outcome.decision?.$case !== "forward") return -1;
  const content = outcome.decision.value.payload?.content;
  return content?.$case === "result" ? (content.value.table?.rows ?? -1) : -1;
}
