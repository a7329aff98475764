/** Dead letters, taken out of their queue. */
import type { Broker, DeadLetter } from "#ports/broker";

export async function takeDeadLetters(broker: Broker | undefined, max: number): Promise<DeadLetter[]> {
  if (broker === undefined) throw new RangeError("there is no such broker");
  const taken: DeadLetter[] = [];
  await broker.visitDeadLetters(max, async ({ redrive: _, drop, ...letter }) => {
    taken.push(letter);
    await drop();
  });
  return taken;
}
