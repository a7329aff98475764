/** Runs steps in this process, over the same bytes as a real function would see. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Envelope, ErrorCode, Outcome } from "#contracts";
import { limits } from "#domain/limits";
import { fail } from "#domain/outcome";
import { DynamosError, toDynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { InvokeOptions, Invoker } from "#ports/invoker";
import type { Step, StepContext } from "#runtime/define-step";

export interface MemoryStep {
  readonly name: string;
  readonly topic: string;
  readonly concurrency?: number;
  readonly step: Step;
}

export interface MemoryInvokerOptions {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function createMemoryInvoker(steps: readonly MemoryStep[], { clock, environment }: MemoryInvokerOptions): Invoker {
  async function run({ step }: MemoryStep, bytes: Uint8Array): Promise<Uint8Array> {
    const temporaryFolder = await mkdtemp(join(tmpdir(), "dynamos-step-"));
    const context: StepContext = { environment, now: () => clock.now(), temporaryFolder };
    try {
      const envelope = Envelope.decode(bytes);
      return Outcome.encode(step.decide(envelope, await step.facts(envelope, context))).finish();
    } catch (error) {
      const { code, message } = toDynamosError(error);
      return Outcome.encode(fail(code, message)).finish();
    } finally {
      await rm(temporaryFolder, { recursive: true, force: true });
    }
  }

  return {
    steps: async () =>
      steps.map(({ name, topic, concurrency }) => ({ name, topic, concurrency: concurrency ?? limits.concurrencyDefault })),
    invoke: async (name, bytes, options) => {
      const found = steps.find((step) => step.name === name);
      if (found === undefined) {
        throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, `there is no function ${name}`);
      }
      return Promise.race([run(found, bytes), ended(options, clock)]);
    },
    close: async () => {},
  };
}

/** Rejects at the deadline or when the signal fires; a step in this process can't be killed, only given up. */
function ended({ deadlineMs, signal }: InvokeOptions, clock: Clock): Promise<never> {
  return new Promise((_, reject) => {
    const stop = clock.after(deadlineMs - clock.now(), () =>
      reject(new DynamosError(ErrorCode.DEADLINE_EXCEEDED, "the deadline passed while the function ran")),
    );
    signal.addEventListener(
      "abort",
      () => {
        stop();
        reject(new DynamosError(ErrorCode.CANCELLED, "the query was cancelled"));
      },
      { once: true },
    );
  });
}
