/**
 * A transfer is a queue of its own that expires. Readers take its chunks with `basic.get` and
 * never acknowledge them, so that they set the pace and the chunks are there again, in order,
 * when a reader is gone. Why no stream queue: docs/decisions/0008.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Channel, GetMessage } from "amqplib";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { transferName } from "#domain/route";
import { DynamosError, hasCode } from "#errors";
import type { Transfers, TransferTarget, TransferWriter } from "#ports/transfers";
import type { Connection } from "./connection.ts";
import { isAway, named } from "./session.ts";
import type { Names } from "./topology.ts";
import { createTransferWriter } from "./transfer-writer.ts";

/** Chunks asked for before the first of them is used. */
const readAhead = 4;

export function createAmqpTransfers(connection: Connection, names: Names): Transfers {
  async function open({ from, to, id = randomUUID(), expiresInMs }: TransferTarget): Promise<TransferWriter> {
    const name = transferName(from, to, id);
    await connection.use(async (session) => {
      const channel = await session.openChannel();
      const queue = names.queue(name);
      await channel.assertQueue(queue, {
        durable: true,
        expires: Math.max(1, Math.ceil(expiresInMs)),
        arguments: { "x-queue-type": "classic", ...keptOnDisk(session.brokerVersion) },
      });
      await channel.bindQueue(queue, names.exchange, name);
      await channel.close();
    });
    return createTransferWriter(name, async (index, chunk) => {
      try {
        await connection.send((session) =>
          session.publish(names.outlet, name, chunk, { messageId: String(index), type: "chunk", persistent: true }),
        );
      } catch (error) {
        throw ofWriting(error, name);
      }
    });
  }

  async function* read(name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const giveUpAtMs = Date.now() + limits.transferAwayMsMax;
    for (let expected = 0; ; ) {
      try {
        for await (const chunk of readFrom(name, expected, signal)) {
          expected += 1;
          yield chunk;
        }
        return;
      } catch (error) {
        // The node that has it is restarted: its chunks are on its disk, and there again with it.
        const isOver = Date.now() > giveUpAtMs || connection.status().kind === "closed";
        if (!isOfAwayNode(error) || isOver) throw error;
      }
      await wait(limits.transferAwayPollMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Those before `first` are passed over. */
  async function* readFrom(name: string, first: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (signal.aborted) throw new DynamosError(ErrorCode.CANCELLED, "nobody reads this transfer any more");
    const channel = await connection.use((session) => session.openChannel());
    const queue = names.queue(name);
    const asked: Promise<GetMessage | false>[] = [];
    const get = () => {
      const answer = channel.get(queue);
      // Those that are still on their way when the reader leaves.
      answer.catch(() => {});
      asked.push(answer);
    };
    try {
      for (let i = 0; i < readAhead; i++) get();
      for (let expected = first; ; ) {
        if (signal.aborted) throw new DynamosError(ErrorCode.CANCELLED, "nobody reads this transfer any more");
        const message = await asked.shift();
        if (message === undefined || message === false) return;
        get();
        // A chunk whose confirm was lost may be there twice.
        if (Number(message.properties.messageId) < expected) continue;
        expected += 1;
        yield message.content;
      }
    } catch (error) {
      throw nameOf(error, name);
    } finally {
      await closed(channel);
    }
  }

  return {
    open,
    read,
    renew: (name) =>
      connection.use(async (session) => {
        const channel = await session.openChannel();
        try {
          // Declaring again renews the lease (rabbitmq.com/docs/ttl, Queue TTL); passively: only its writer knows its arguments.
          await channel.checkQueue(names.queue(name));
        } catch (error) {
          throw nameOf(error, name);
        } finally {
          await closed(channel);
        }
      }),
    drop: (name) =>
      connection.use(async (session) => {
        const channel = await session.openChannel();
        // Deleting what is not there is no error since RabbitMQ 3.2.
        await channel.deleteQueue(names.queue(name));
        await channel.close();
      }),
  };
}

/**
 * Before 3.12 the chunks would fill the broker's memory. Later ones keep them on their disk by themselves, and 4.3
 * refuses the argument (github.com/rabbitmq/rabbitmq-server, release-notes/4.3.0.md).
 */
function keptOnDisk(brokerVersion: string): Record<string, string> {
  const [major = 0, minor = 0] = brokerVersion.split(".").map(Number);
  return major < 3 || (major === 3 && minor < 12) ? { "x-queue-mode": "lazy" } : {};
}

/** The chunks that it had in hand are back in the queue when the broker has answered. */
async function closed(channel: Channel): Promise<void> {
  try {
    await channel.close();
  } catch {
    // Closed by the broker, or gone with its connection.
  }
}

/** Its queue was declared, so it is not gone: the node that has it is. Whoever writes begins anew, elsewhere. */
function ofWriting(error: unknown, name: string): unknown {
  if (!hasCode(error, ErrorCode.UNROUTABLE) && !hasCode(error, ErrorCode.OVERLOADED)) return error;
  return new DynamosError(ErrorCode.BROKER_UNAVAILABLE, `the queue of the transfer ${name} is away`, { cause: error });
}

function isOfAwayNode(error: unknown): boolean {
  return error instanceof DynamosError && error.cause instanceof Error && isAway(error.cause.message);
}

function nameOf(error: unknown, name: string): unknown {
  if (error instanceof DynamosError) return error;
  if (error instanceof Error && isAway(error.message)) return named(error);
  if (error instanceof Error && /NOT_FOUND/.test(error.message)) {
    return new DynamosError(ErrorCode.TRANSFER_LOST, `there is no transfer ${name}`, { cause: error });
  }
  return new DynamosError(ErrorCode.BROKER_UNAVAILABLE, "the connection was lost while a transfer was read", {
    cause: error,
  });
}
