/**
 * README's section for operators, followed word for word: its commands are typed into one shell, and what each prints
 * is held to what the page shows. `…` stands for any text, on a line of its own for any lines. Only the port differs.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { placeFaasCli, realFaasCli } from "#testing/faas-cli/place";
import { freePort } from "#testing/free-port";

const checkout = resolve(import.meta.dirname, "../..");
const real = realFaasCli();
if (real === undefined) {
  process.stdout.write("SKIPPED: there is no faas-cli here, so README's commands are followed with its stand-in\n");
}

interface Step {
  readonly command: string;
  /** As the page shows it. */
  readonly output: string;
}

/** What follows `$ ` in the blocks of a section; a line that ends in a backslash goes on. */
function stepsIn(markdown: string, title: string): Step[] {
  const section = markdown.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  const blocks = [...section.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? "");
  return blocks.flatMap((block) =>
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
function fits(shown: string, printed: string): boolean {
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
class Shell {
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

let home: string;
let port: string;
let steps: Step[];
const shells: Shell[] = [];

function openShell(): Shell {
  const shell = new Shell({
    PATH: `${join(home, "bin")}:${process.env.PATH}`,
    HOME: home,
    TMPDIR: home,
    NO_COLOR: "1",
    // npm asks its registry for news of itself.
    npm_config_update_notifier: "false",
  });
  shells.push(shell);
  return shell;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "dynamos-operator-"));
  await mkdir(join(home, "bin"));
  placeFaasCli(join(home, "bin"), real);
  port = String(await freePort());
  steps = stepsIn((await readFile(join(checkout, "README.md"), "utf8")).replaceAll("8080", port), "Deploy");
});
afterAll(async () => {
  await Promise.all(shells.map((shell) => shell.end()));
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}, 30_000);

it("is followed word for word: deploy, ask, update one function, roll back, remove", async () => {
  const commands = steps.map(({ command }) => command);
  for (const word of [
    "login",
    "secret create",
    "deploy -f",
    "TAG=v2",
    "describe",
    "TAG=v1",
    "remove -f",
    "dynamos query",
  ]) {
    expect(commands.join("\n")).toContain(word);
  }
  const up = commands.findIndex((command) => command.includes("dynamos up"));
  const first = openShell();
  for (const { command } of steps.slice(0, up)) await first.type(`${command}; echo "ended: $?"`, /ended: 0\n$/);
  const started = await first.type(commands[up] ?? "", /^ready at .*\n/m);
  expect(`${started}ready at http://127.0.0.1:${port} for faas-cli`).toSatisfy((text: string) =>
    fits(`…\n${steps[up]?.output}`, text),
  );
  const second = openShell();
  for (const { command, output } of steps.slice(up + 1)) {
    const printed = await second.type(`${command}\necho "ended: $?"`, /ended: 0\n$/);
    expect(fits(output, printed), `${command}\nis to print\n${output}\nand printed\n${printed}`).toBe(true);
  }
}, 180_000);

it("reads a page's lines as they are meant", () => {
  expect(stepsIn("## A\n```\n$ b \\\n  c\nd\n…\n$ e\n```\n## B\n```\n$ f\n```\n", "A")).toEqual([
    { command: "b \\\n  c", output: "d\n…" },
    { command: "e", output: "" },
  ]);
  expect(fits("a …\n…\nz", "a b\nc\nd\nz\n")).toBe(true);
  expect(fits("a …\nz", "a b\nc\nz\n")).toBe(false);
  expect(fits("", "anything\n")).toBe(false);
  expect(fits("M 9.9408", "M          9.9409\n")).toBe(false);
});
