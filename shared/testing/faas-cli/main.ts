/**
 * A stand-in for faas-cli where it can't be had: the commands that speak to a gateway, written after the source of
 * faas-cli 0.18 and go-sdk. It sends the same requests, prints the same lines and refuses the same command lines.
 */
import { globalAgent } from "node:http";
import { CliError, type CommandLine, type FlagDefinition, readCommandLine } from "./command-line.ts";
import { deploy } from "./deploy.ts";
import { invoke } from "./invoke.ts";
import { describe, list } from "./list.ts";
import { login } from "./login.ts";
import { logs } from "./logs.ts";
import { remove } from "./remove.ts";
import { say } from "./say.ts";
import { createSecret, listSecrets, removeSecret } from "./secret.ts";
import { gatewayDefault } from "./stack-file.ts";

type Flags = Readonly<Record<string, FlagDefinition>>;

const text = (otherwise = "", short?: string): FlagDefinition => ({ type: "text", otherwise, ...(short && { short }) });
const texts = (short?: string): FlagDefinition => ({ type: "texts", ...(short && { short }) });
const flag = (otherwise = false, short?: string): FlagDefinition => ({
  type: "switch",
  otherwise,
  ...(short && { short }),
});

/** Of every command. */
const everywhere: Flags = { yaml: text("", "f"), regex: text(), filter: text() };
const remote: Flags = {
  gateway: text(gatewayDefault, "g"),
  "tls-no-verify": flag(),
  token: text("", "k"),
  namespace: text("", "n"),
};
const substituted: Flags = { envsubst: flag(true) };

const commands: Readonly<Record<string, { run(line: CommandLine): Promise<void>; flags: Flags }>> = {
  deploy: {
    run: deploy,
    flags: {
      ...remote,
      ...substituted,
      image: text(),
      name: text(),
      fprocess: text(),
      lang: text(),
      handler: text(),
      env: texts("e"),
      label: texts("l"),
      annotation: texts(),
      secret: texts(),
      constraint: texts(),
      replace: flag(),
      update: flag(true),
      readonly: flag(),
      "read-template": flag(true),
      timeout: text(),
    },
  },
  remove: { run: remove, flags: { ...remote, ...substituted } },
  list: {
    run: list,
    flags: { ...remote, ...substituted, quiet: flag(false, "q"), verbose: flag(false, "v"), sort: text("name") },
  },
  describe: { run: describe, flags: { ...remote, ...substituted, verbose: flag(false, "v"), name: text() } },
  invoke: {
    run: invoke,
    flags: {
      ...remote,
      ...substituted,
      "content-type": text("text/plain"),
      query: texts(),
      header: texts("H"),
      async: flag(false, "a"),
      method: text("POST", "m"),
    },
  },
  logs: {
    run: logs,
    flags: {
      ...remote,
      since: text(),
      "since-time": text(),
      lines: text("-1"),
      tail: flag(true, "t"),
      output: text("", "o"),
      name: flag(),
      instance: flag(),
    },
  },
  login: {
    run: login,
    flags: {
      gateway: text(gatewayDefault, "g"),
      username: text("admin", "u"),
      password: text("", "p"),
      "password-stdin": flag(false, "s"),
      "tls-no-verify": flag(),
      timeout: text(),
    },
  },
  "secret create": {
    run: createSecret,
    flags: { ...remote, "from-literal": text(), "from-file": text(), trim: flag(true), replace: flag() },
  },
  "secret list": { run: listSecrets, flags: remote },
  "secret remove": { run: removeSecret, flags: remote },
};

const aliases: Readonly<Record<string, string>> = { rm: "remove", delete: "remove", ls: "list" };

async function run([first = "", ...rest]: readonly string[]): Promise<void> {
  const group = first === "secret" ? [first, rest.shift() ?? ""] : [first];
  const name = [...group.slice(0, -1), aliases[group.at(-1) ?? ""] ?? group.at(-1)].join(" ");
  const command = commands[name];
  if (command === undefined) throw new CliError(`unknown command "${name}" for "faas-cli"`);
  await command.run(readCommandLine(rest, { ...everywhere, ...command.flags }));
}

// Who reads may leave early, as `| head` does.
process.stdout.on("error", () => process.exit(141));

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CliError)) throw error;
  say(error.message.replace(/^./, (letter) => letter.toUpperCase()));
  process.exitCode = 1;
} finally {
  // An idle connection would keep the process for seconds.
  globalAgent.destroy();
}
