/** Takes a prefixed system off a broker again: what a test or a benchmark declared. */
import { connect } from "amqplib";
import { namesWith, retryDelaysMs } from "./topology.ts";

export interface RemoveOptions {
  readonly url: string;
  readonly prefix: string;
  /** Without the prefix. */
  readonly queues: readonly string[];
  readonly parties: readonly string[];
}

export async function removeAll({ url, prefix, queues, parties }: RemoveOptions): Promise<void> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  for (const queue of queues) await channel.deleteQueue(prefix + queue);
  for (const party of parties) {
    const names = namesWith(prefix, party);
    await channel.deleteQueue(names.deadLetterQueue);
    await channel.deleteQueue(names.returns);
    await channel.deleteExchange(names.returns);
    for (const delayMs of retryDelaysMs) {
      await channel.deleteQueue(names.retryExchange(delayMs));
      await channel.deleteExchange(names.retryExchange(delayMs));
    }
    await channel.deleteExchange(names.exchange);
    await channel.deleteExchange(names.deadLetterExchange);
  }
  await connection.close();
}
