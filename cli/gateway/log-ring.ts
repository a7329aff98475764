/** The last lines that a function wrote. */
export interface LogLine {
  readonly at: Date;
  readonly text: string;
}

const linesMax = 1_000;
const lineCharsMax = 4_096;

export class LogRing {
  private readonly lines: LogLine[] = [];

  add(text: string): void {
    this.lines.push({ at: new Date(), text: text.slice(0, lineCharsMax) });
    if (this.lines.length > linesMax) this.lines.shift();
  }

  last(count: number): readonly LogLine[] {
    return this.lines.slice(-count);
  }

  /** Takes a stream's chunks, splits them into lines, and cuts a line that is too long. */
  reader(): (chunk: string) => void {
    let open = "";
    return (chunk) => {
      const lines = (open + chunk).split("\n");
      // The rest of a long line is dropped, so that output without line ends takes no memory.
      open = (lines.pop() ?? "").slice(0, lineCharsMax);
      for (const line of lines) this.add(line.replace(/\r$/, ""));
    };
  }
}
