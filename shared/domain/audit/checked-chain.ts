/** One chain as its lines come by: what stands where it belongs, and what does not. */
import { limits } from "../limits.ts";
import { beforeFirst, type ChainPlace, type Head, type SealedRecord } from "./chain.ts";
import { Gaps } from "./gaps.ts";
import type { LinePlace, Problem, ProblemKind } from "./problem.ts";

export interface BadLine extends LinePlace {
  readonly kind: "altered" | "foreign";
  /** What it says of itself; believed only if that number is missing. */
  readonly claimed: number | undefined;
  /** The file ends in the middle of it. */
  readonly isUnfinished: boolean;
}

/** A record before whose place others are missing: they were removed, or it stands too early. The next ones show it. */
interface EarlyRecord extends LinePlace {
  readonly kind: "early";
  readonly record: SealedRecord;
}

export interface CheckedChainOptions {
  readonly place: ChainPlace;
  /** Undefined as long as no key is known for it. */
  readonly publicKey: string | undefined;
  /** Records were picked from it: what is not there is no problem. */
  readonly isSelection: boolean;
  /** The last record that somebody knows of. */
  readonly known: Head | undefined;
  readonly report: (problem: Problem) => void;
}

export class CheckedChain {
  /** Of the record with the highest number so far. */
  head: Head = beforeFirst;
  records = 0;
  readonly publicKey: string | undefined;
  private readonly options: CheckedChainOptions;
  private readonly gaps = new Gaps();
  /** What they are shows when the next record comes. */
  private pending: (BadLine | EarlyRecord)[] = [];
  /** Stood too early, by number: moved, or a copy of the one that is still to come. */
  private readonly aside = new Map<number, EarlyRecord>();

  constructor(options: CheckedChainOptions) {
    this.options = options;
    this.publicKey = options.publicKey;
  }

  /** A record whose hash and signature hold. */
  take(record: SealedRecord, at: LinePlace): void {
    const early: EarlyRecord = { ...at, kind: "early", record };
    if (record.seq > this.head.seq + 1) this.bridge(record);
    if (record.seq <= this.head.seq) this.late(early);
    else if (record.seq === this.head.seq + 1) this.next(early);
    else this.pending.push(early);
    if (this.options.isSelection || this.pending.length > limits.recordsPendingMax) this.settle();
  }

  takeBad(line: BadLine): void {
    this.pending.push(line);
  }

  /**
   * @param isAlone whether there are records of no other chain
   * @returns whether the chain's file ended in the middle of a line
   */
  end(isAlone: boolean): boolean {
    const isUnfinished = this.pending.some((line) => line.kind !== "early" && line.isUnfinished);
    this.pending = this.pending.filter((line) => line.kind === "early" || !line.isUnfinished);
    const [only, ...more] = this.pending;
    if (this.records === 0 && only?.kind === "early" && more.length === 0 && !isAlone && !this.options.isSelection) {
      this.report("inserted", only, only.record.seq);
      return isUnfinished;
    }
    this.settle();
    for (const [seq, early] of [...this.aside].sort(([a], [b]) => a - b)) {
      this.report("reordered", early, seq);
      this.missBefore(early);
      this.accept(early);
    }
    this.endTail();
    return isUnfinished;
  }

  private next(early: EarlyRecord): void {
    const { record } = early;
    if (record.previous !== this.head.hash) {
      this.pending.push({ ...early, kind: "altered", claimed: record.seq, isUnfinished: false });
      return;
    }
    // The chain goes on as if what is pending were not there.
    for (const line of this.pending.splice(0)) {
      if (line.kind === "early") this.putAside(line);
      else this.report(line.kind === "foreign" ? "foreign" : "inserted", line, line.claimed ?? 0);
    }
    this.accept(early);
  }

  /** Makes up for what is missing before this record, if what came before shows how. */
  private bridge({ seq, previous }: SealedRecord): void {
    const moved = this.aside.get(seq - 1);
    if (moved !== undefined && moved.record.hash === previous && this.head.seq === seq - 2) {
      this.aside.delete(seq - 1);
      this.report("reordered", moved, seq - 1);
      this.next(moved);
      return;
    }
    const isConfirmed = this.pending.some(
      (line) => line.kind === "early" && line.record.seq === seq - 1 && line.record.hash === previous,
    );
    if (isConfirmed) this.settle();
  }

  /** What is pending stands: what is missing between is gone, or one of the lines there is in its place. */
  private settle(): void {
    let bad: BadLine[] = [];
    for (const line of this.pending.splice(0)) {
      if (line.kind !== "early") {
        bad.push(line);
      } else if (line.record.seq <= this.head.seq) {
        this.late(line);
      } else {
        this.missBefore(line);
        this.place(bad);
        bad = [];
        this.accept(line);
      }
    }
    this.pending = bad;
  }

  private missBefore({ file, line, record }: EarlyRecord): void {
    this.gaps.add({ from: this.head.seq + 1, to: record.seq - 1, file, line });
  }

  private late(early: EarlyRecord): void {
    const { seq } = early.record;
    if (!this.gaps.take(seq)) {
      this.report("inserted", early, seq);
      return;
    }
    this.report("reordered", early, seq);
    this.count(early);
  }

  private accept(early: EarlyRecord): void {
    const { seq, hash } = early.record;
    const copy = this.aside.get(seq);
    if (copy !== undefined && copy !== early) this.report("inserted", copy, seq);
    this.aside.delete(seq);
    this.head = { seq, hash };
    this.count(early);
  }

  private putAside(early: EarlyRecord): void {
    const { seq } = early.record;
    if (this.aside.has(seq)) this.report("inserted", early, seq);
    else this.aside.set(seq, early);
  }

  /** Each is in place of a record that is missing, the one that it claims to be if that is missing, or was inserted. */
  private place(lines: readonly BadLine[]): void {
    for (const line of lines) {
      const { claimed = 0, kind } = line;
      const seq = this.gaps.take(claimed) ? claimed : this.gaps.firstFrom(this.head.seq + 1);
      if (seq !== undefined) this.gaps.take(seq);
      if (seq === undefined) this.report(kind === "foreign" ? kind : "inserted", line, claimed);
      else this.report(kind, line, seq);
    }
  }

  private endTail(): void {
    const { known, isSelection } = this.options;
    const bad = this.pending.filter((line) => line.kind !== "early");
    const to = known === undefined ? this.head.seq + bad.length : known.seq;
    this.gaps.add({ from: this.head.seq + 1, to, file: "", line: 0 });
    this.place(bad);
    if (isSelection) return;
    for (const { from, to: last, file, line } of this.gaps.all()) {
      this.report(from > this.head.seq ? "truncated" : "removed", { file, line }, from, last);
    }
  }

  private count({ record: { seq, hash }, ...at }: EarlyRecord): void {
    this.records += 1;
    const { known } = this.options;
    if (known?.seq === seq && known.hash !== hash) this.report("altered", at, seq);
  }

  private report(kind: ProblemKind, { file, line }: LinePlace, seq: number, seqTo = seq): void {
    this.options.report({ kind, ...this.options.place, file, line, seq, seqTo });
  }
}
