/** `COPY … TO STDOUT` over one connection: rows as they come, and no more of them than were asked for. */
import type { Connection, Submittable } from "pg";

/** Some rows of a COPY in CSV, each with its line break. */
export interface CopiedRows {
  readonly bytes: Buffer;
  readonly rows: number;
  readonly longestRowBytes: number;
}

interface Waiter {
  resolve(rows: CopiedRows | undefined): void;
  reject(error: unknown): void;
}

/** A query object as pg's `client.query` takes one: pg calls the methods as messages come. */
export class CopyOut implements Submittable {
  readonly #sql: string;
  readonly #blockBytes: number;
  readonly #full: CopiedRows[] = [];
  #rows: Buffer[] = [];
  #bytes = 0;
  #longest = 0;
  #connection: Connection | undefined;
  #end: { readonly error?: unknown } | undefined;
  #waiter: Waiter | undefined;

  /** @param blockBytes about as many come at once; the next ones wait at the server */
  constructor(sql: string, blockBytes: number) {
    this.#sql = sql;
    this.#blockBytes = blockBytes;
  }

  /** The next rows; undefined after the last. @throws what the server or the connection failed with */
  next(): Promise<CopiedRows | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#settle();
      if (this.#full.length === 0) this.#connection?.stream.resume();
    });
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    connection.query(this.#sql);
  }

  /** One message a row: https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-COPY */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    // pg uses its buffer again.
    this.#rows.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    this.#longest = Math.max(this.#longest, chunk.length);
    if (this.#bytes >= this.#blockBytes) this.#cut();
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#cut();
    this.#end ??= {};
    this.#settle();
  }

  handleError(error: unknown): void {
    this.#end ??= { error };
    this.#settle();
  }

  #cut(): void {
    if (this.#rows.length === 0) return;
    this.#full.push({ bytes: Buffer.concat(this.#rows), rows: this.#rows.length, longestRowBytes: this.#longest });
    [this.#rows, this.#bytes, this.#longest] = [[], 0, 0];
    this.#connection?.stream.pause();
    this.#settle();
  }

  #settle(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    const first = this.#full.shift();
    if (first === undefined && this.#end === undefined) return;
    this.#waiter = undefined;
    if (first !== undefined) waiter.resolve(first);
    else if (this.#end !== undefined && "error" in this.#end) waiter.reject(this.#end.error);
    else waiter.resolve(undefined);
  }
}
