/** A connection that comes back by itself: whoever uses it waits for it, up to a limit. */
import { setTimeout as wait } from "node:timers/promises";
import type { Channel } from "amqplib";
import { ErrorCode } from "#contracts";
import { DynamosError, toDynamosError } from "#errors";
import type { BrokerStatus } from "#ports/broker";
import type { Log } from "#ports/log";
import { brokerUrls } from "./addresses.ts";
import { blocking, SessionLost } from "./publisher.ts";
import { openSession, type Session, type SessionOptions } from "./session.ts";

export interface ConnectionOptions extends SessionOptions {
  readonly log: Log;
  /** How long a use waits for a lost connection to come back. */
  readonly waitMsMax: number;
  /** Declares and consumes again on a new session, before anyone else uses it. */
  readonly restore: (session: Session) => Promise<void>;
  /** Takes what is its own off the broker before it goes for good. */
  readonly leave: (channel: Channel) => Promise<void>;
}

const reconnectFirstMs = 50;
const reconnectLongestMs = 2_000;

export class Connection {
  private readonly options: ConnectionOptions;
  private readonly listeners = new Set<(status: BrokerStatus) => void>();
  private readonly waiting = new Set<() => void>();
  private readonly closing = new AbortController();
  private session: Session | undefined;
  private current: BrokerStatus = { kind: "reconnecting", reason: "not connected yet" };
  private closed: Promise<void> | undefined;

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  /** @throws DynamosError BROKER_UNAVAILABLE when the first connection can't be made */
  async start(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      const message = `the broker at ${hostOf(this.options.url)} can't be reached or refuses the login`;
      throw toDynamosError(error, ErrorCode.BROKER_UNAVAILABLE, message);
    }
  }

  status(): BrokerStatus {
    return this.current;
  }

  onStatus(listener: (status: BrokerStatus) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Whether it is the one in use: not one that is still set up, nor a lost one. */
  uses(session: Session): boolean {
    return this.session === session;
  }

  /** Runs on the present session, again on the next one when it is lost under way, until the wait is over. */
  use<T>(run: (session: Session) => Promise<T>): Promise<T> {
    return this.run(run, false);
  }

  /** The same for what publishes: it waits also for a broker that takes no messages. */
  send(run: (session: Session) => Promise<void>): Promise<void> {
    return this.run(run, true);
  }

  private async run<T>(run: (session: Session) => Promise<T>, publishes: boolean): Promise<T> {
    const giveUpAtMs = Date.now() + this.options.waitMsMax;
    for (;;) {
      const session = await this.sessionBy(giveUpAtMs, publishes);
      try {
        return await run(session);
      } catch (error) {
        if (error instanceof DynamosError) throw error;
        // The close event of a lost connection may come a moment after the error.
        await wait(5);
        if (this.uses(session) && !(error instanceof SessionLost)) {
          throw toDynamosError(error, ErrorCode.BROKER_UNAVAILABLE, "the broker refused");
        }
      }
      if (Date.now() > giveUpAtMs) throw unavailable("the broker did not confirm in time");
    }
  }

  close(): Promise<void> {
    this.closed ??= this.end();
    return this.closed;
  }

  private async end(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    this.closing.abort();
    this.become({ kind: "closed" });
    await session?.close(this.options.leave);
  }

  private async connect(): Promise<void> {
    // Both may be called while it is still set up.
    let opened: Session | undefined;
    const session = await openSession(
      this.options,
      (reason) => {
        if (opened !== undefined && this.uses(opened)) this.lose(reason);
      },
      () => {
        if (opened !== undefined && this.uses(opened)) this.become(statusOf(opened));
      },
    );
    opened = session;
    try {
      await this.options.restore(session);
      if (session.over.aborted) throw new SessionLost("lost while it was set up");
    } catch (error) {
      await session.close(staying);
      throw error;
    }
    if (this.closing.signal.aborted) {
      await session.close(this.options.leave);
      return;
    }
    this.session = session;
    this.become(statusOf(session));
  }

  private lose(reason: string): void {
    this.session = undefined;
    this.options.log.log("warn", "the broker's connection is lost", { reason });
    this.become({ kind: "reconnecting", reason });
    void this.reconnect();
  }

  private async reconnect(): Promise<void> {
    for (
      let delayMs = reconnectFirstMs;
      this.current.kind === "reconnecting";
      delayMs = Math.min(delayMs * 2, reconnectLongestMs)
    ) {
      // Not all at once: a broker that comes back has many of us.
      const rested = await wait(delayMs * (0.75 + Math.random() / 2), true, { signal: this.closing.signal }).catch(
        () => false,
      );
      if (!rested) return;
      try {
        await this.connect();
        this.options.log.log("info", "the broker's connection is back");
      } catch (error) {
        this.options.log.log("warn", "the broker can't be reached", {
          reason: error instanceof Error ? error.message : "",
        });
      }
    }
  }

  private become(status: BrokerStatus): void {
    this.current = status;
    for (const wake of this.waiting) wake();
    for (const listener of this.listeners) listener(status);
  }

  private async sessionBy(giveUpAtMs: number, publishes: boolean): Promise<Session> {
    for (;;) {
      const blocked = publishes ? this.session?.blocked() : undefined;
      if (this.session !== undefined && blocked === undefined) return this.session;
      if (this.closing.signal.aborted) throw unavailable("the connection is closed");
      const leftMs = giveUpAtMs - Date.now();
      if (leftMs <= 0) throw unavailable(blocked === undefined ? "the broker can't be reached" : blocking(blocked));
      await this.nextStatus(leftMs);
    }
  }

  private nextStatus(waitMsMax: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMsMax);
      this.waiting.add(wake);
    });
  }
}

async function staying(): Promise<void> {}

function statusOf(session: Session): BrokerStatus {
  const reason = session.blocked();
  return reason === undefined ? { kind: "connected" } : { kind: "blocked", reason };
}

function unavailable(message: string): DynamosError {
  return new DynamosError(ErrorCode.BROKER_UNAVAILABLE, message);
}

/** Without the user and password. */
function hostOf(url: string): string {
  return brokerUrls(url)
    .map((one) => (URL.canParse(one) ? new URL(one).host : "a URL that is none"))
    .join(", ");
}
