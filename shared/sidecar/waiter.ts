/** One request that waits for its replies: each once, and of the attempt that runs now. */
import { type Envelope, ErrorCode, type Plan, type Reply } from "#contracts";
import { replyTransfers } from "#domain/transferred";
import type { DynamosError } from "#errors";

export class Waiter {
  /** As it was published, but for the attempt. */
  readonly asked: Envelope;
  /** From 1; one more each time that it is planned again. */
  attempt = 1;
  /** Of this attempt, once it is there. */
  plan: Plan | undefined;
  /** Whether a chain of it ended without a result: others of the query may still run, for nobody. */
  hasFailed = false;
  /** Of every reply that it got: a repeated one may refer to them. */
  readonly transfers = new Set<string>();
  private readonly ids = new Set<string>();
  private readonly queue: Reply[] = [];
  private wake: () => void = () => {};
  private ended = false;
  private failure: DynamosError | undefined;

  constructor(asked: Envelope) {
    this.asked = asked;
    this.attempt = asked.attempt;
  }

  get isOver(): boolean {
    return this.ended;
  }

  /** Whether it is of an attempt that was given up. */
  isStale(reply: Reply): boolean {
    return reply.attempt < this.attempt;
  }

  push(reply: Reply): void {
    if (this.ids.has(reply.id)) return;
    this.ids.add(reply.id);
    for (const name of replyTransfers(reply)) this.transfers.add(name);
    if (reply.content?.$case === "plan") this.plan = reply.content.value;
    this.hasFailed ||= reply.content?.$case === "failure" || reply.content?.$case === "refusal";
    this.queue.push(reply);
    this.wake();
  }

  /**
   * Takes no more of the attempts so far.
   * @returns those that the consumer has not got yet, and which nobody will
   */
  nextAttempt(): Reply[] {
    this.attempt += 1;
    this.plan = undefined;
    this.hasFailed = false;
    return this.queue.splice(0);
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  fail(error: DynamosError): void {
    this.failure ??= error;
    this.end();
  }

  /** @returns the next reply, or undefined when the wait is over. @throws what it failed with */
  async next(): Promise<Reply | undefined> {
    while (this.queue.length === 0 && !this.ended) {
      await new Promise<void>((resume) => {
        this.wake = resume;
      });
    }
    const reply = this.queue.shift();
    if (reply === undefined && this.failure !== undefined) throw this.failure;
    return reply;
  }

  /** Those that the consumer never got. */
  rest(): Reply[] {
    return this.queue.splice(0);
  }
}

/** Whether a party stopped a chain because what was approved is not agreed any more: then it may run otherwise. */
export function isRevoked({ content }: Reply): boolean {
  return content?.$case === "failure" && content.value.code === ErrorCode.REVOKED;
}
