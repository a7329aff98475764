/** Runs steps in this process, over the same bytes as a real function would see. */
import { createHash } from "node:crypto";
import { Chunk, ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Invocation, InvokeOptions, Invoker } from "#ports/invoker";
import type { Step, StepContext } from "#runtime/define-step";
import { invocationContext } from "#runtime/invocation-context";
import { runChain } from "#runtime/run-chain";

export interface MemoryStep {
  readonly name: string;
  readonly topic: string;
  readonly concurrency?: number;
  readonly step: Step;
  /** That it may go on with. */
  readonly fused?: readonly Step[];
}

export interface MemoryInvokerOptions {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Gets the cause of what the asker is not told. */
  readonly report?: (error: unknown) => void;
}

/** Single use is not kept here: all invocations share this process. */
export function createMemoryInvoker(steps: readonly MemoryStep[], options: MemoryInvokerOptions): Invoker {
  const { clock, environment, report = () => {} } = options;

  async function run(
    { step, fused = [] }: MemoryStep,
    invocation: Invocation,
    context: StepContext,
  ): Promise<Uint8Array> {
    // A copy each way: no step may change what its caller holds, nor the caller what the step keeps.
    const lost: unknown[] = [];
    const call = {
      envelope: Uint8Array.from(invocation.envelope),
      chunks: encoded(invocation.chunks, lost),
      take: (chunk: Uint8Array) =>
        invocation.take(Chunk.decode(Uint8Array.from(chunk)).body).catch((error) => {
          lost.push(error);
          throw error;
        }),
    };
    const { handedOn } = invocation;
    const handOn = handedOn && ((outcome: Uint8Array) => handedOn(Uint8Array.from(outcome)));
    invocation.answeredBy?.(digestOf(step));
    const chain = { ...call, ...(handOn === undefined ? {} : { handOn }) };
    const outcome = Uint8Array.from(await runChain(step, fused, chain, context, report));
    // The caller's own failure is not the step's, whatever the step made of it.
    if (lost.length > 0) throw lost[0];
    return outcome;
  }

  return {
    steps: async () =>
      steps.map(({ name, topic, concurrency, fused }) => ({
        name,
        topic,
        concurrency: concurrency ?? limits.concurrencyDefault,
        ...(fused === undefined ? {} : { fuses: fused.map((step) => step.name) }),
      })),
    invoke: async (name, invocation, { deadlineMs, signal }) => {
      const found = steps.find((step) => step.name === name);
      if (found === undefined) {
        throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, `function ${name} is not deployed`);
      }
      const { context, end } = invocationContext(environment, () => clock.now());
      try {
        return await until({ deadlineMs, signal }, clock, name, () => run(found, invocation, context));
      } finally {
        end();
      }
    },
    close: async () => {},
  };
}

/** Of the functions that it is: as near to a build as a step in this process comes. */
function digestOf({ name, facts, decide }: Step): string {
  return createHash("sha256").update(`${name}\n${facts}\n${decide}`).digest("hex");
}

async function* encoded(chunks: Invocation["chunks"], lost: unknown[]): AsyncGenerator<Uint8Array> {
  if (chunks === undefined) return;
  try {
    for await (const chunk of chunks) yield Chunk.encode(chunk).finish();
  } catch (error) {
    lost.push(error);
    throw error;
  }
}

/** Rejects at the deadline or when the signal fires; a step in this process can't be killed, only given up. */
function until<T>(
  { deadlineMs, signal }: InvokeOptions,
  clock: Clock,
  name: string,
  run: () => Promise<T>,
): Promise<T> {
  const late = () =>
    new DynamosError(ErrorCode.DEADLINE_EXCEEDED, `the deadline passed while function ${name} was asked`);
  const cancelled = () => new DynamosError(ErrorCode.CANCELLED, "the query was cancelled");
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(cancelled());
    if (deadlineMs <= clock.now()) return reject(late());
    const settle = (end: () => void) => {
      stopTimer();
      signal.removeEventListener("abort", onAbort);
      end();
    };
    const stopTimer = clock.after(deadlineMs - clock.now(), () => settle(() => reject(late())));
    const onAbort = () => settle(() => reject(cancelled()));
    signal.addEventListener("abort", onAbort, { once: true });
    run().then(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
  });
}
