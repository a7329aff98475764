/** The options that say what is asked: of `dynamos query`, and of what is only about it. */
import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { demoUser } from "../demo/documents.ts";
import type { QueryBody } from "./ask.ts";

export interface RequestFlags {
  readonly sql?: string;
  readonly providers: string;
  readonly user?: string;
  readonly token?: string;
  readonly algorithm?: string;
  readonly column?: string;
  readonly groupBy?: string;
  readonly option: readonly string[];
  readonly requestType?: string;
  readonly purpose?: string;
  readonly timeout?: string;
}

export function addRequestOptions(command: Command): Command {
  return command
    .requiredOption("--providers <names>", "whom to ask, e.g. UVA,VU")
    .option("--token <token>", "of who asks; absent: DYNAMOS_TOKEN, else one of the system on this machine")
    .option("--user <name>", `who asks, as named in the agreements; absent: the token's, on this machine ${demoUser}`)
    .option(
      "--algorithm <name>",
      "average, averages, sum, count, min, max, median or standardDeviation; absent: the rows",
    )
    .option("--column <name>", "what the algorithm computes over")
    .option("--group-by <names>", "columns to group by, e.g. Geslacht,HOOPgeb")
    .addOption(
      new Option(
        "--option <flag>",
        "aggregate (through the third party), anonymize, graph, split (each steward its own archetype); `aggregate=false` switches off; may be repeated",
      )
        .argParser(collect)
        .default([], "none"),
    )
    .option("--request-type <name>", "absent: sqlDataRequest")
    .option("--purpose <word>", "what the answer is for, in a word that the agreements know");
}

/** @throws Error with a sentence about the option that is wrong */
export async function requestBodyOf(flags: RequestFlags): Promise<Omit<QueryBody, "sql"> & { sql?: string }> {
  const lost = flags.column === undefined ? flags.groupBy && "--group-by" : "--column";
  if (lost && flags.algorithm === undefined) {
    throw new Error(`${lost} is for an algorithm: name one with --algorithm, e.g. --algorithm average`);
  }
  const sql = flags.sql?.startsWith("@") ? await textOf("--sql @", flags.sql.slice(1)) : flags.sql;
  const algorithm = flags.algorithm && {
    name: flags.algorithm,
    ...(flags.column === undefined ? {} : { column: flags.column }),
    ...(flags.groupBy === undefined ? {} : { groupBy: names(flags.groupBy) }),
  };
  return {
    ...(flags.user === undefined ? {} : { user: { name: flags.user } }),
    providers: names(flags.providers),
    ...(sql === undefined ? {} : { sql }),
    ...(algorithm ? { algorithm } : {}),
    ...(flags.option.length === 0 ? {} : { options: optionsOf(flags.option) }),
    ...(flags.requestType === undefined ? {} : { requestType: flags.requestType }),
    ...(flags.purpose === undefined ? {} : { purpose: flags.purpose }),
    ...(flags.timeout === undefined ? {} : { timeoutMs: timeoutOf(flags.timeout) }),
  };
}

/** @param option as it was given, before the file's name. @throws Error with a sentence */
export async function textOf(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`${option}${file}: ${whyNot(error, "read")}`);
  }
}

/** @param done what can't be done with the file: `read` or `written` */
export function whyNot(error: unknown, done: string): string {
  const { code } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOENT: done === "read" ? "there is no such file" : "there is no such folder",
    EISDIR: "this is a folder",
    ENOTDIR: "a part of the path is not a folder",
    EACCES: "you may not do this",
    EROFS: "the disk is read-only",
  };
  return `the file can't be ${done}: ${known[code ?? ""] ?? code ?? "an unknown reason"}`;
}

function names(list: string): string[] {
  return list
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
}

function optionsOf(flags: readonly string[]): Record<string, boolean> {
  return Object.fromEntries(
    flags.map((flag) => {
      const [name = "", value = "true"] = flag.split("=");
      if (value !== "true" && value !== "false") throw new Error(`--option ${flag}: the value must be true or false`);
      return [name, value === "true"];
    }),
  );
}

function timeoutOf(text: string): number {
  const ms = Number(text);
  if (!Number.isInteger(ms)) throw new Error(`--timeout ${text}: must be a whole number of milliseconds`);
  return ms;
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
