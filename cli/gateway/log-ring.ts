/** The last lines that a function wrote. */
export interface LogLine {
  readonly at: Date;
  readonly text: string;
}

const linesMax = 1_000;
const lineCharsMax = 4_096;

export class LogRing {
  private readonly lines: LogLine[] = [];
  private readonly listeners = new Set<(line: LogLine) => void>();

  add(text: string): void {
    const line = { at: new Date(), text: text.slice(0, lineCharsMax) };
    this.lines.push(line);
    if (this.lines.length > linesMax) this.lines.shift();
    for (const listener of this.listeners) listener(line);
  }

  /** Each line from now on. @returns what ends it */
  follow(listener: (line: LogLine) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
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
