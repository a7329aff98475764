/** The changes that a watch can still begin with: the latest revisions, bounded in number and in characters. */
import type { Change } from "#ports/knowledge";

const revisionsMax = 10_000;
/** Documents may be large: ten thousand changes of one of them would fill the memory. */
const charsMax = 128 * 1_048_576;

export class ChangeHistory {
  /** One element a revision: the counter rises by one with each. */
  private readonly revisions: (readonly Change[])[] = [];
  private chars = 0;

  /** @param changes all of the next revision */
  add(changes: readonly Change[]): void {
    this.revisions.push(changes);
    this.chars += charsOf(changes);
    while (this.revisions.length > revisionsMax || (this.chars > charsMax && this.revisions.length > 1)) {
      this.chars -= charsOf(this.revisions.shift() ?? []);
    }
  }

  /** The first revision that is kept, when `revision` is the last one. */
  oldestAt(revision: number): number {
    return revision - this.revisions.length + 1;
  }

  /** @param index of the first revision; below 0: from the oldest on */
  from(index: number): Change[] {
    return this.revisions.slice(Math.max(0, index)).flat();
  }
}

function charsOf(changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + (change.kind === "put" ? change.entry.value.length : 0), 0);
}
