/** Takes a prefixed system off a broker again: what a test or a benchmark declared. */
import { connect } from "amqplib";
import { namesWith, retryDelaysMs } from "./topology.ts";

export async function removeAll(url: string, prefix: string, queues: readonly string[]): Promise<void> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  const names = namesWith(prefix);
  for (const delayMs of retryDelaysMs) {
    await channel.deleteQueue(names.retryExchange(delayMs));
    await channel.deleteExchange(names.retryExchange(delayMs));
  }
  for (const queue of [names.deadLetterQueue, ...queues.map((name) => names.queue(name))]) {
    await channel.deleteQueue(queue);
  }
  await channel.deleteExchange(names.exchange);
  await channel.deleteExchange(names.deadLetterExchange);
  await connection.close();
}
