/** All consumers of one party, over one session after the other. One that the broker stops or refuses is tried again by itself. */
import { setTimeout as wait } from "node:timers/promises";
import { DynamosError } from "#errors";
import type { Log, LogLevel } from "#ports/log";
import type { ConsumerEnd, RunningConsumer } from "./consumer.ts";
import type { Session } from "./session.ts";

export interface ConsumerSpec {
  /** For the log. */
  readonly name: string;
  /** Declares what it needs, when it is started once more on the same session. */
  prepare(session: Session): Promise<void>;
  run(session: Session, onStopped: (end: ConsumerEnd) => void): Promise<RunningConsumer>;
}

/** Between the end of one consumer's channel and its next. */
const restartFirstMs = 500;
const restartLongestMs = 30_000;

export class Consumers {
  private readonly log: Log;
  private readonly running = new Map<ConsumerSpec, RunningConsumer | undefined>();

  constructor(log: Log) {
    this.log = log;
  }

  /** @throws what the broker refuses it with */
  async start(spec: ConsumerSpec, session: Session): Promise<void> {
    this.running.set(spec, await this.run(spec, session));
  }

  async cancel(spec: ConsumerSpec): Promise<void> {
    const running = this.running.get(spec);
    this.running.delete(spec);
    await running?.cancel();
  }

  /** On a new session. @throws when that is of no use */
  async resumeAll(session: Session): Promise<void> {
    for (const spec of [...this.running.keys()]) {
      try {
        await this.resume(spec, session);
      } catch (error) {
        if (!(error instanceof DynamosError)) throw error;
        void this.restart(spec, session, { reason: error.message, isOrderly: false });
      }
    }
  }

  private run(spec: ConsumerSpec, session: Session): Promise<RunningConsumer> {
    return spec.run(session, (end) => void this.restart(spec, session, end));
  }

  private async resume(spec: ConsumerSpec, session: Session): Promise<void> {
    const running = await this.run(spec, session);
    // Cancelled while it started.
    if (this.running.has(spec)) this.running.set(spec, running);
    else await running.cancel();
  }

  private async restart(spec: ConsumerSpec, session: Session, end: ConsumerEnd): Promise<void> {
    let { reason } = end;
    // A node that goes takes its consumers along: worth an error only when that is not healed at the first try.
    let level: LogLevel = end.isOrderly ? "warn" : "error";
    for (let delayMs = restartFirstMs; ; delayMs = Math.min(delayMs * 2, restartLongestMs)) {
      if (session.over.aborted || !this.running.has(spec)) return;
      const what = { queue: spec.name, reason, delayMs };
      this.log.log(level, "the broker stopped a consumer: declaring its queue and consuming again", what);
      const rested = await wait(delayMs, true, { signal: session.over }).catch(() => false);
      if (!rested || !this.running.has(spec)) return;
      try {
        await spec.prepare(session);
        await this.resume(spec, session);
        return;
      } catch (error) {
        reason = error instanceof Error ? error.message : "unknown";
        level = "error";
      }
    }
  }
}
