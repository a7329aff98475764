/** A worker's standard output and error, as lines of the door's log. Bounded; always read, so that the worker never blocks on them. */
import type { Readable } from "node:stream";
import { limits } from "#domain/limits";
import type { Log } from "#ports/log";

const lineCharsMax = 1_000;
const lastWordsCharsMax = 4_096;

export class WorkerOutput {
  #bytesLeft: number = limits.workerLogBytesMax;
  #lastWords = "";
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  get lastWords(): string {
    return this.#lastWords;
  }

  follow(stream: Readable, name: "stdout" | "stderr"): void {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      if (name === "stderr") {
        this.#lastWords = (this.#lastWords + text).slice(-lastWordsCharsMax);
      }
      const lines = this.#within(rest + text, rest.length).split("\n");
      rest = (lines.pop() ?? "").slice(0, lineCharsMax);
      for (const line of lines) {
        this.#write(line, name);
      }
    });
    stream.on("end", () => this.#write(rest, name));
    stream.on("error", () => {});
  }

  /** Cuts what is over the worker's allowance, of which `counted` characters are paid for. */
  #within(text: string, counted: number): string {
    const fresh = text.length - counted;
    if (fresh <= this.#bytesLeft) {
      this.#bytesLeft -= fresh;
      return text;
    }
    const kept = text.slice(0, counted + this.#bytesLeft);
    if (this.#bytesLeft > 0) {
      this.#log.log("warn", "the worker writes too much, the rest is dropped", { limit: limits.workerLogBytesMax });
    }
    this.#bytesLeft = 0;
    return kept;
  }

  #write(line: string, stream: string): void {
    if (line.trim() !== "") {
      this.#log.log("info", line.slice(0, lineCharsMax), { stream });
    }
  }
}
