/** A command line as faas-cli's library (pflag) reads it: flags anywhere, and one that it does not know ends the command. */

export type FlagType = "text" | "texts" | "switch";

export interface FlagDefinition {
  readonly type: FlagType;
  readonly short?: string;
  readonly otherwise?: string | boolean;
}

export interface CommandLine {
  readonly words: readonly string[];
  text(name: string): string;
  texts(name: string): readonly string[];
  isOn(name: string): boolean;
}

/** What the command fails with: said on standard output, with a capital, and exit code 1. */
export class CliError extends Error {
  override readonly name = "CliError";
}

export function readCommandLine(
  args: readonly string[],
  definitions: Readonly<Record<string, FlagDefinition>>,
): CommandLine {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      words.push(...rest.splice(0));
    } else if (!/^-./.test(word)) {
      words.push(word);
    } else {
      const { name, given } = flagIn(word, definitions);
      const value = given ?? (definitions[name]?.type === "switch" ? "true" : rest.shift());
      if (value === undefined) throw new CliError(`flag needs an argument: --${name}`);
      values.set(name, [...(values.get(name) ?? []), value]);
    }
  }
  return {
    words,
    text: (name) => values.get(name)?.at(-1) ?? String(definitions[name]?.otherwise ?? ""),
    texts: (name) => values.get(name) ?? [],
    isOn: (name) => (values.get(name)?.at(-1) ?? String(definitions[name]?.otherwise ?? false)) === "true",
  };
}

function flagIn(word: string, definitions: Readonly<Record<string, FlagDefinition>>) {
  const [, long, longValue] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
  if (long !== undefined) {
    if (!Object.hasOwn(definitions, long)) throw new CliError(`unknown flag: --${long}`);
    return { name: long, given: longValue };
  }
  const short = word.slice(1, 2);
  const name = Object.keys(definitions).find((key) => definitions[key]?.short === short);
  if (name === undefined) throw new CliError(`unknown shorthand flag: '${short}' in ${word}`);
  return { name, given: word.length > 2 ? word.slice(2).replace(/^=/, "") : undefined };
}
