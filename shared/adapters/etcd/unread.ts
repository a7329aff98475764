/** Changes of a watch that its reader has not taken yet. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Change } from "#ports/knowledge";

export class Unread {
  #changes: Change[] = [];
  #chars = 0;
  #isEnded = false;
  #error: unknown;
  #wake: () => void = () => {};

  /** @throws DynamosError KNOWLEDGE_UNAVAILABLE: too many; those that waited are gone */
  add(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#changes.push(change);
      this.#chars += charsOf(change);
    }
    if (this.#changes.length > limits.etcdUnreadMax || this.#chars > limits.etcdUnreadCharsMax) {
      this.#changes = [];
      const message = `more than ${limits.etcdUnreadMax} changes were not read: list again`;
      throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, message);
    }
    this.#wake();
  }

  /** @param error its reader gets it, after the changes that still wait */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change> {
    for (;;) {
      const next = this.#changes.shift();
      if (next !== undefined) {
        this.#chars -= charsOf(next);
        yield next;
      } else if (!this.#isEnded) {
        await new Promise<void>((resume) => {
          this.#wake = resume;
        });
      } else if (this.#error !== undefined) {
        throw this.#error;
      } else {
        return;
      }
    }
  }
}

function charsOf(change: Change): number {
  return change.kind === "put" ? change.entry.value.length : 0;
}
