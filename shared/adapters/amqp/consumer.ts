/** One consumer on its own channel, from its start to its end. What becomes of each delivery is settle.ts's. */
import { setTimeout as wait } from "node:timers/promises";
import type { Channel, ConsumeMessage } from "amqplib";
import { named, type Session } from "./session.ts";

export interface RunningConsumer {
  /** Takes no more and resolves when what is in hand is settled. */
  cancel(): Promise<void>;
}

export interface ConsumerOptions {
  readonly session: Session;
  /** As the broker knows it. */
  readonly queue: string;
  readonly prefetch: number;
  /** Resolves when the broker has the message where it is to be; rejects when it must come again. */
  readonly settle: (raw: ConsumeMessage) => Promise<"acknowledge" | "return">;
  readonly onStopped: (end: ConsumerEnd) => void;
}

/** The broker ended it: it took the queue away or closed the channel. */
export interface ConsumerEnd {
  readonly reason: string;
  /** The broker complains of nothing: this is how it looks when a node goes. */
  readonly isOrderly: boolean;
}

/** A message that can be neither moved nor acknowledged goes back to its queue after this, not in a loop. */
const giveBackMs = 1_000;

/** @throws DynamosError UNROUTABLE (there is no such queue), DENIED (this user may not read it) */
export async function runConsumer(options: ConsumerOptions): Promise<RunningConsumer> {
  const { session, onStopped } = options;
  const channel = await session.openChannel();
  const inHand = new Set<Promise<void>>();
  let stopping = false;
  let isRunning = false;
  let complaint: string | undefined;

  function stopped(end: ConsumerEnd): void {
    if (stopping) return;
    stopping = true;
    onStopped(end);
  }

  function take(raw: ConsumeMessage | null): void {
    if (raw === null) {
      stopped({ reason: "its queue is gone", isOrderly: true });
      void channel.close().catch(() => {});
      return;
    }
    if (stopping || session.over.aborted) {
      answer(() => channel.nack(raw, false, true));
      return;
    }
    const work = handle(options, channel, raw).finally(() => inHand.delete(work));
    inHand.add(work);
  }

  channel.on("error", (error: Error) => {
    complaint = error.message;
  });
  // Until it runs, who starts it is told.
  channel.on("close", () => {
    if (isRunning) stopped({ reason: complaint ?? "closed", isOrderly: complaint === undefined });
  });
  const { consumerTag } = await begin(channel, options, take);
  isRunning = true;
  return {
    cancel: async () => {
      stopping = true;
      await channel.cancel(consumerTag).catch(() => {});
      while (inHand.size > 0) await Promise.all(inHand);
      await channel.close().catch(() => {});
    },
  };
}

async function begin(
  channel: Channel,
  { queue, prefetch }: ConsumerOptions,
  take: (raw: ConsumeMessage | null) => void,
) {
  let isOpen = true;
  channel.once("close", () => {
    isOpen = false;
  });
  try {
    await channel.prefetch(prefetch);
    const started = await channel.consume(queue, take);
    if (!isOpen) throw new Error("its channel was closed while it started");
    return started;
  } catch (error) {
    throw named(error);
  }
}

/** Never rejects: nobody could take it. */
async function handle({ session, settle }: ConsumerOptions, channel: Channel, raw: ConsumeMessage): Promise<void> {
  try {
    const end = await settle(raw);
    answer(() => (end === "return" ? channel.nack(raw, false, true) : channel.ack(raw)));
  } catch {
    await wait(giveBackMs, undefined, { signal: session.over }).catch(() => {});
    answer(() => channel.nack(raw, false, true));
  }
}

/** On a channel that has closed meanwhile nothing can be answered, nor need be: the broker delivers again what it held. */
function answer(send: () => void): void {
  try {
    send();
  } catch {
    // Closed.
  }
}
