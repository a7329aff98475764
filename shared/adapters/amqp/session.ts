/**
 * A party's two connections, from connect to loss: one that only publishes, and one for everything else. A broker
 * short of memory or disk reads nothing of a connection that publishes: acknowledgements and reading must go on
 * (rabbitmq.com/docs/alarms). A new session replaces a lost one.
 */
import type { Channel, Options } from "amqplib";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { closeMsMax, inTime, type Link, openLink } from "./link.ts";
import { createPublisher, isRefused, type Publisher } from "./publisher.ts";
import type { TlsFiles } from "./tls.ts";
import { declareBase, type Topology } from "./topology.ts";

export interface Session {
  /** Aborted once it is lost or closing: nothing may be sent on it any more. */
  readonly over: AbortSignal;
  /**
   * Resolves when the broker has confirmed.
   * @throws DynamosError UNROUTABLE, BROKER_UNAVAILABLE (not confirmed in time); SessionLost when nothing is known of it
   */
  publish(exchange: string, routingKey: string, body: Uint8Array, properties: Options.Publish): Promise<void>;
  /** For anything but publishing. */
  openChannel(): Promise<Channel>;
  /** As the broker says: `3.10.8`. */
  readonly brokerVersion: string;
  /** Why the broker takes no messages now; undefined: it does. */
  blocked(): string | undefined;
  /** It is of no use any more: reported as lost, and its connections ended. */
  abandon(reason: string): void;
  /** Waits for the confirms of what was published, for a while. @param leave what is taken off the broker before */
  close(leave: (channel: Channel) => Promise<void>): Promise<void>;
}

export interface SessionOptions {
  readonly url: string;
  readonly tls?: TlsFiles;
  readonly party: string;
  readonly topology: Topology;
  /** How long a publish waits for its confirm. */
  readonly confirmMsMax: number;
}

/**
 * @param onLost called once when a connection goes without `close`
 * @param onBlocked called when the broker stops taking messages, with its reason, and when it takes them again
 * @throws what connecting or declaring fails with
 */
export async function openSession(
  options: SessionOptions,
  onLost: (reason: string) => void,
  onBlocked: (reason: string | undefined) => void,
): Promise<Session> {
  const { topology, confirmMsMax } = options;
  const over = new AbortController();
  // The broker refuses a message that names another user than the connection's.
  const { user } = topology.names;
  /** What is asked of a lost connection may never be answered. */
  let foundLost: () => void = () => {};
  const isLost = new Promise<void>((resolve) => {
    foundLost = resolve;
  });
  let blocked: string | undefined;
  let links: readonly Link[] = [];

  function lose(reason: string): void {
    foundLost();
    if (over.signal.aborted) return;
    over.abort();
    onLost(reason);
    // Of the two one may be there still.
    void end();
  }

  async function end(): Promise<void> {
    await Promise.all(links.map((link) => link.end()));
  }

  const [publishing, working] = await openBoth(options, lose, (reason) => {
    blocked = reason;
    onBlocked(reason);
  });
  links = [publishing, working];
  try {
    const setup = await working.openChannel();
    await declareBase(setup, topology);
    await setup.close();
    let publisher = await openPublisher();
    async function openPublisher(): Promise<Publisher> {
      return createPublisher({
        channel: await publishing.openConfirmChannel(),
        confirmMsMax,
        onClosed: (reason) => void replacePublisher(reason),
        blocked: () => blocked,
      });
    }
    /** The broker closes the channel for what this user may not do; everything else goes on. */
    async function replacePublisher(reason: string): Promise<void> {
      if (!isRefused(reason)) return lose(reason);
      try {
        publisher = await openPublisher();
      } catch {
        lose(reason);
      }
    }
    return {
      over: over.signal,
      publish: (exchange, routingKey, body, properties) =>
        publisher.publish(
          exchange,
          routingKey,
          body,
          user === undefined ? properties : { ...properties, userId: user },
        ),
      brokerVersion: working.brokerVersion,
      blocked: () => blocked,
      openChannel: () => working.openChannel(),
      abandon: lose,
      close: async (leave) => {
        if (over.signal.aborted) return;
        over.abort();
        await inTime(Promise.race([publisher.settled(), isLost]), closeMsMax);
        const left = working
          .openChannel()
          .then(leave)
          .catch(() => {});
        await inTime(Promise.race([left, isLost]), closeMsMax);
        await end();
      },
    };
  } catch (error) {
    over.abort();
    await end();
    throw named(error);
  }
}

async function openBoth(
  { url, tls, party }: SessionOptions,
  onLost: (reason: string) => void,
  onBlocked: (reason: string | undefined) => void,
): Promise<readonly [Link, Link]> {
  const common = { url, ...(tls === undefined ? {} : { tls }), onLost, onBlocked };
  const opening = [
    openLink({ ...common, name: `dynamos ${party}, publishing` }),
    openLink({ ...common, name: `dynamos ${party}` }),
  ] as const;
  try {
    return await Promise.all(opening);
  } catch (error) {
    const opened = await Promise.allSettled(opening);
    await Promise.all(opened.map((one) => (one.status === "fulfilled" ? one.value.end() : undefined)));
    throw error;
  }
}

/** What can't be mended by connecting again: an exchange or queue with other arguments, without rights, or not there. */
export function named(error: unknown): unknown {
  const text = error instanceof Error ? error.message : "";
  const [, kind, name] = /(exchange|queue|topic) '([^']*)'/.exec(text) ?? [];
  if (kind === undefined) return error;
  if (isRefused(text)) {
    return new DynamosError(ErrorCode.DENIED, `this broker user may not use the ${kind} ${name}`, { cause: error });
  }
  if (isAway(text)) {
    const message = `the node that has the ${kind} ${name} is away`;
    return new DynamosError(ErrorCode.BROKER_UNAVAILABLE, message, { cause: error });
  }
  if (/NOT.FOUND/.test(text)) {
    return new DynamosError(ErrorCode.UNROUTABLE, `there is no ${kind} ${name}`, { cause: error });
  }
  if (!/PRECONDITION.FAILED/.test(text)) return error;
  return new DynamosError(
    ErrorCode.BROKER_UNAVAILABLE,
    `the ${kind} ${name} exists with other arguments${differenceIn(text)}: delete it on the broker, or use another prefix or vhost`,
    { cause: error },
  );
}

/** Of a classic queue in a cluster: it is not gone, and is there again with its node (rabbit_amqqueue.erl, not_found_or_absent). */
export function isAway(text: string): boolean {
  return /NOT.FOUND - home node .* is down or inaccessible/.test(text);
}

/** In the broker's words: `x-max-length is 5000 there and 10000 here`. */
function differenceIn(text: string): string {
  const found = /inequivalent arg '([^']+)'.*: received (.+?) but current is (.+?)"?$/.exec(text);
  if (found === null) return "";
  const [, argument, here, there] = found;
  const value = (words = "") => (/^none\b|the value '([^']*)'/.exec(words)?.[1] ?? words).trim();
  return ` (${argument} is ${value(there)} there and ${value(here)} here)`;
}
