/** Looking at dead letters one by one, each held by the broker until its visitor has decided. */
import type { HeldDeadLetter } from "#ports/broker";
import { deadLetterOf, redriveProperties } from "./message.ts";
import type { Session } from "./session.ts";
import type { Names } from "./topology.ts";

export interface DeadLetterVisit {
  readonly session: Session;
  readonly names: Names;
  readonly prefix: string;
  readonly max: number;
  readonly visit: (letter: HeldDeadLetter) => Promise<void>;
}

/** @returns how many were visited. What was neither redriven nor dropped is where it was. */
export async function visitDeadLetters({ session, names, prefix, max, visit }: DeadLetterVisit): Promise<number> {
  const channel = await session.openChannel();
  let visited = 0;
  try {
    // One that comes back while others are visited is not visited again.
    const { messageCount } = await channel.checkQueue(names.deadLetterQueue);
    while (visited < Math.min(max, messageCount)) {
      const raw = await channel.get(names.deadLetterQueue);
      if (raw === false) break;
      visited += 1;
      const letter = deadLetterOf(raw, prefix, names.user);
      await visit({
        ...letter,
        redrive: async () => {
          // By the queue's own name: what else its routing key reaches has had the message.
          await session.publish(names.outlet, names.keyOf(letter.queue), raw.content, redriveProperties(letter));
          channel.ack(raw);
        },
        drop: async () => channel.ack(raw),
      });
    }
  } finally {
    // Gives back what is still held, in its order.
    await channel.close();
  }
  return visited;
}
