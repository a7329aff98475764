/** Publishing with confirms: a message counts as sent when the broker says that it has it, and some queue takes it. */
import type { ConfirmChannel, Options } from "amqplib";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

/** The connection went while something was under way: what it was may or may not have happened. */
export class SessionLost extends Error {
  override readonly name = "SessionLost";
}

export interface Publisher {
  publish(exchange: string, routingKey: string, body: Uint8Array, properties: Options.Publish): Promise<void>;
  /** Resolves when nothing is unconfirmed any more. */
  settled(): Promise<void>;
}

export interface PublisherOptions {
  readonly channel: ConfirmChannel;
  /** How long a publish waits for its confirm. */
  readonly confirmMsMax: number;
  /** The broker closes the channel for a message that it won't have. */
  readonly onClosed: (reason: string) => void;
  /** Why the broker takes no messages now, if it does not. */
  readonly blocked: () => string | undefined;
}

export function createPublisher({ channel, confirmMsMax, onClosed, blocked }: PublisherOptions): Publisher {
  let because = "closed";
  let counter = 0;
  /** Returned as unroutable; the confirm comes after the return. */
  const returned = new Set<number>();
  channel.on("return", (message) => {
    returned.add(Number(message.properties.headers?.["x-publish"]));
  });
  channel.on("error", (error: Error) => {
    because = error.message;
  });
  channel.on("close", () => onClosed(`the publishing channel: ${because}`));

  function publish(exchange: string, routingKey: string, body: Uint8Array, properties: Options.Publish): Promise<void> {
    counter += 1;
    const tag = counter;
    const options = { ...properties, mandatory: true, headers: { ...properties.headers, "x-publish": tag } };
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    return new Promise((resolve, reject) => {
      // A broker short of memory or disk takes nothing and says nothing; a half-open connection likewise.
      const timer = setTimeout(() => reject(unconfirmed(blocked())), confirmMsMax);
      try {
        channel.publish(exchange, routingKey, bytes, options, (error: unknown) => {
          clearTimeout(timer);
          if (returned.delete(tag)) reject(new DynamosError(ErrorCode.UNROUTABLE, `no queue takes ${routingKey}`));
          else if (error) reject(refusal(error, routingKey, because));
          else resolve();
        });
      } catch (error) {
        clearTimeout(timer);
        reject(new SessionLost("the channel is closed", { cause: error }));
      }
    });
  }

  return { publish, settled: () => channel.waitForConfirms().catch(() => {}) };
}

function unconfirmed(blocked: string | undefined): DynamosError {
  const message = blocked === undefined ? "the broker did not confirm in time" : blocking(blocked);
  return new DynamosError(ErrorCode.BROKER_UNAVAILABLE, message);
}

/** @param reason the broker's: `low on memory` */
export function blocking(reason: string): string {
  return `the broker takes no messages: it is short of memory or disk (${reason})`;
}

/** A nack: the queue is full. A closed channel: the broker says for which key, and knows nothing of the others. */
function refusal(error: unknown, routingKey: string, because: string): Error {
  const text = error instanceof Error ? error.message : String(error);
  if (/nacked/.test(text)) {
    return new DynamosError(ErrorCode.OVERLOADED, `the queue of ${routingKey} is full`, { cause: error });
  }
  if (isRefused(because) && (because.includes(`topic '${routingKey}'`) || /access to exchange/.test(because))) {
    return new DynamosError(ErrorCode.DENIED, `this broker user may not send to ${routingKey}`, { cause: error });
  }
  return new SessionLost("not confirmed", { cause: error });
}

export function isRefused(reason: string): boolean {
  return /ACCESS.REFUSED/.test(reason);
}
