/** Numbers of records that did not stand where they belong: ranges, since one cut may take a million. */

export interface Gap {
  readonly from: number;
  readonly to: number;
  /** Of the record that stands where the first of them belongs. */
  readonly file: string;
  readonly line: number;
}

export class Gaps {
  private gaps: Gap[] = [];

  /** Nothing when `to` is before `from`. */
  add(gap: Gap): void {
    if (gap.from <= gap.to) this.gaps.push(gap);
  }

  /** Takes this number out. @returns whether it was missing */
  take(seq: number): boolean {
    const index = this.gaps.findIndex(({ from, to }) => from <= seq && seq <= to);
    const gap = this.gaps[index];
    if (gap === undefined) return false;
    const halves = [
      { ...gap, to: seq - 1 },
      { ...gap, from: seq + 1 },
    ].filter(({ from, to }) => from <= to);
    this.gaps.splice(index, 1, ...halves);
    return true;
  }

  /** The first number at or after `from` that is missing. */
  firstFrom(from: number): number | undefined {
    const starts = this.gaps.filter(({ to }) => to >= from).map((gap) => Math.max(from, gap.from));
    return starts.length === 0 ? undefined : starts.reduce((a, b) => Math.min(a, b));
  }

  all(): readonly Gap[] {
    return this.gaps;
  }
}
