/**
 * A page of the docs, followed word for word: its commands are typed into a shell, and what each prints is held to what
 * the page shows. `…` stands for any text, on a line of its own for any lines.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { resolve } from "node:path";

const checkout = resolve(import.meta.dirname, "../..");

export interface Step {
  readonly command: string;
  /** As the page shows it. */
  readonly output: string;
}

/** What follows `$ ` in the blocks of a section but for those that need a cluster; a line that ends in a backslash goes on. */
export function stepsIn(markdown: string, title: string): Step[] {
  const section = markdown.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  const blocks = [...section.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? "");
  return blocks
    .filter((block) => !block.startsWith("# needs a cluster\n"))
    .flatMap((block) =>
      block
        .split(/^\$ /m)
        .slice(1)
        .map((text) => {
          const [command = ""] = /^(?:.*\\\n)*.*/.exec(text) ?? [];
          return { command, output: text.slice(command.length).trim() };
        }),
    );
}

/** Without the spaces that align columns and end lines. */
export function fits(shown: string, printed: string): boolean {
  const plain = (text: string) =>
    text
      .replaceAll(/[ \t]+/g, " ")
      .replaceAll(/ *\n */g, "\n")
      .trim();
  const lines = plain(shown).split("\n");
  const pattern = lines.map((line) =>
    line === "…"
      ? "(?:.*\\n)*"
      : `${line
          .split("…")
          .map((part) => escaped(part))
          .join(".*")}\\n`,
  );
  return new RegExp(`^${pattern.join("")}$`).test(`${plain(printed)}\n`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** One shell, as an operator has it: what is exported stays. */
export class Shell {
  private readonly child: ChildProcessWithoutNullStreams;
  private written = "";
  private heard = () => {};

  constructor(env: Record<string, string>) {
    this.child = spawn("bash", ["--noprofile", "--norc"], { cwd: checkout, env, detached: true });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.written += text;
        this.heard();
      });
    }
  }

  /** @returns all that it printed until `end` fits. @throws Error with that when it does not within the limit */
  async type(command: string, end: RegExp, msMax = 60_000): Promise<string> {
    this.written = "";
    this.child.stdin.write(`${command}\n`);
    await new Promise<void>((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`${command} did not end: ${this.written}`)), msMax);
      this.heard = () => {
        if (!end.test(this.written)) return;
        clearTimeout(timer);
        done();
      };
      this.heard();
    });
    return this.written.replace(end, "");
  }

  /** And all that it started. */
  async end(): Promise<void> {
    const closed = new Promise((done) => this.child.once("close", done));
    try {
      process.kill(-(this.child.pid ?? 0), "SIGTERM");
    } catch {
      return;
    }
    await closed;
  }
}
