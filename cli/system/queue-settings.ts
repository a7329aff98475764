/** How queues are declared on the broker, from the environment: the same for all that use one broker. */
import type { AmqpOptions } from "#adapters/amqp/broker";
import { limits } from "#domain/limits";

export type QueueSettings = Required<Pick<AmqpOptions, "queueType">> & {
  readonly queueLimits: Required<NonNullable<AmqpOptions["queueLimits"]>>;
};

export const queueTypeHelp = "of the RabbitMQ: classic, or quorum on a cluster; absent: DYNAMOS_QUEUE_TYPE, or classic";

/**
 * `DYNAMOS_QUEUE_TYPE` (classic, or quorum where the broker is a cluster), `DYNAMOS_QUEUE_MESSAGES_MAX` and
 * `DYNAMOS_QUEUE_BYTES_MAX` (of one queue; the message that is one too many is refused).
 * @param flag `--queue-type`, which goes before the environment
 * @throws Error naming the variable or flag: a wrong setting stops the start
 */
export function queueSettings(environment: Readonly<Record<string, string | undefined>>, flag?: string): QueueSettings {
  const queueType = flag ?? (environment.DYNAMOS_QUEUE_TYPE || "classic");
  if (queueType !== "classic" && queueType !== "quorum") {
    const name = flag === undefined ? "DYNAMOS_QUEUE_TYPE" : "--queue-type";
    throw new Error(`${name} ${queueType}: must be classic or quorum`);
  }
  return {
    queueType,
    queueLimits: {
      messagesMax: countOf(environment, "DYNAMOS_QUEUE_MESSAGES_MAX", limits.queueMessagesMax),
      bytesMax: countOf(environment, "DYNAMOS_QUEUE_BYTES_MAX", limits.queueBytesMax),
    },
  };
}

function countOf(environment: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const text = environment[name] || String(otherwise);
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  // The broker keeps it in 64 bits with a sign, we in what a number holds exactly.
  if (count < 1 || count > Number.MAX_SAFE_INTEGER)
    throw new Error(`${name} ${text}: must be a whole number from 1 on`);
  return count;
}
