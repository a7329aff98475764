/** One consumer per step that the party has deployed, kept in line with what the gateway lists. */
import { ErrorCode } from "#contracts";
import { toDynamosError } from "#errors";
import type { Broker, Consumer, Delivery, Disposition } from "#ports/broker";
import type { Clock } from "#ports/clock";
import type { DeployedStep, Invoker } from "#ports/invoker";
import type { Log } from "#ports/log";

export interface StepConsumers {
  /** Takes no more messages; resolves when those in hand are settled. */
  stop(): Promise<void>;
}

export interface StepConsumersOptions {
  /** By step: who serves it, as last listed. Kept up to date here. */
  readonly functions: Map<string, DeployedStep>;
  readonly broker: Broker;
  readonly invoker: Invoker;
  readonly clock: Clock;
  readonly log: Log;
  readonly refreshMs: number;
  readonly handle: (delivery: Delivery) => Promise<Disposition>;
}

/**
 * A function that is gone keeps its consumer: its messages then fail by name at once, while
 * an unread queue would let them wait for the deadline.
 */
export async function consumeSteps(options: StepConsumersOptions): Promise<StepConsumers> {
  const { functions, broker, invoker, clock, log, refreshMs, handle } = options;
  const consumers = new Map<string, Consumer>();
  let stopTimer = () => {};
  let stopped = false;

  async function refresh(): Promise<void> {
    for (const step of await invoker.steps()) {
      functions.set(step.topic.split(".").slice(1).join("."), step);
      if (!consumers.has(step.topic) && !stopped) {
        await broker.declare([{ name: step.topic, bindings: [step.topic], kind: "work" }]);
        consumers.set(step.topic, await broker.consume(step.topic, { prefetch: step.concurrency }, handle));
      }
    }
  }

  function schedule(): void {
    stopTimer = clock.after(refreshMs, () => {
      refresh()
        .catch((error: unknown) => {
          const { label, message } = toDynamosError(
            error,
            ErrorCode.FUNCTION_UNAVAILABLE,
            "the functions can't be listed",
          );
          log.log("warn", "the list of functions is not up to date", { code: label, reason: message });
        })
        .finally(() => {
          if (!stopped) schedule();
        });
    });
  }

  await refresh();
  schedule();
  return {
    stop: async () => {
      stopped = true;
      stopTimer();
      await Promise.all([...consumers.values()].map((consumer) => consumer.cancel()));
    },
  };
}
