/**
 * README's section for operators, followed word for word: its commands are typed into one shell, and what each prints
 * is held to what the page shows. `…` stands for any text, on a line of its own for any lines. Only the port differs.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { placeFaasCli, realFaasCli } from "#testing/faas-cli/place";
import { fits, Shell, type Step, stepsIn } from "#testing/followed-page";
import { freePort } from "#testing/free-port";

const checkout = resolve(import.meta.dirname, "../..");
const real = realFaasCli();
if (real === undefined) {
  process.stdout.write("SKIPPED: there is no faas-cli here, so README's commands are followed with its stand-in\n");
}

/** Generous: a machine that does much else takes minutes to start fifteen functions one after the other. */
const commandMsMax = 240_000;

let home: string;
let port: string;
let steps: Step[];
const shells: Shell[] = [];

function openShell(): Shell {
  const shell = new Shell({
    PATH: `${join(home, "bin")}:${process.env.PATH}`,
    HOME: home,
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
  for (const { command } of steps.slice(0, up)) await typed(first, command);
  const started = await first.type(commands[up] ?? "", /^ready at .*\n/m, commandMsMax);
  expect(`${started}ready at http://127.0.0.1:${port} for faas-cli`).toSatisfy((text: string) =>
    fits(`…\n${steps[up]?.output}`, text),
  );
  const second = openShell();
  for (const { command, output } of steps.slice(up + 1)) {
    // Said first where the sources have changed since.
    const printed = (await typed(second, command)).replace(/^built .*\n/, "");
    expect(fits(output, printed), `${command}\nis to print\n${output}\nand printed\n${printed}`).toBe(true);
  }
}, 600_000);

/** @returns what it printed. @throws Error when it fails */
async function typed(shell: Shell, command: string): Promise<string> {
  const printed = await shell.type(`${command}\necho "status $?, ended"`, /, ended\n$/, commandMsMax);
  const status = "status 0";
  if (printed.endsWith(status)) return printed.slice(0, -status.length);
  throw new Error(`${command} failed: ${printed}`);
}
