/** One watch of the embedded knowledge base: changes wait here until its reader takes them. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Change, Watch } from "#ports/knowledge";

/** Changes that wait for a reader; a slower one must list again. */
const unreadMax = 10_000;

export class MemoryWatch implements Watch {
  private readonly prefix: string;
  private readonly onClose: (watch: MemoryWatch) => void;
  private changes: Change[] = [];
  private wake: () => void = () => {};
  private closed = false;
  private error: DynamosError | undefined;

  constructor(prefix: string, onClose: (watch: MemoryWatch) => void) {
    this.prefix = prefix;
    this.onClose = onClose;
  }

  see(change: Change): void {
    if (!keyOf(change).startsWith(this.prefix)) return;
    if (this.changes.length >= unreadMax) {
      this.changes = [];
      this.fail(
        new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, `more than ${unreadMax} changes were not read: list again`),
      );
      return;
    }
    this.changes.push(change);
    this.wake();
  }

  /** Its reader gets the error after the changes that still wait. */
  fail(error: DynamosError): void {
    this.error = error;
    this.onClose(this);
    this.wake();
  }

  close(): void {
    this.closed = true;
    this.onClose(this);
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change> {
    try {
      for (;;) {
        const next = this.changes.shift();
        if (next !== undefined) yield next;
        else if (this.error !== undefined) throw this.error;
        else if (this.closed) return;
        else await this.news();
      }
    } finally {
      this.onClose(this);
    }
  }

  private news(): Promise<void> {
    return new Promise((resume) => {
      this.wake = resume;
    });
  }
}

function keyOf(change: Change): string {
  return change.kind === "put" ? change.entry.key : change.key;
}
