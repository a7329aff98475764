/** `dynamos query`: one question from the command line. */
import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { demoUser } from "../demo/documents.ts";
import { answerText } from "../print/answer-text.ts";
import { type AnsweredQuery, ask, type QueryBody } from "./ask.ts";

interface QueryFlags {
  readonly sql: string;
  readonly providers: string;
  readonly user: string;
  readonly algorithm?: string;
  readonly column?: string;
  readonly groupBy?: string;
  readonly option: readonly string[];
  readonly requestType?: string;
  readonly timeout?: string;
  readonly gateway: string;
  readonly json?: boolean;
  readonly chart?: string;
}

export function addQueryCommand(program: Command): void {
  program
    .command("query")
    .description("ask the parties one question and print what they answer")
    .requiredOption("--sql <text>", "the SQL, or @file to read it from a file")
    .requiredOption("--providers <names>", "whom to ask, e.g. UVA,VU")
    .option("--user <name>", "who asks, as named in the agreements", demoUser)
    .option(
      "--algorithm <name>",
      "average, averages, sum, count, min, max, median or standardDeviation; absent: the rows",
    )
    .option("--column <name>", "what the algorithm computes over")
    .option("--group-by <names>", "columns to group by, e.g. Geslacht,HOOPgeb")
    .option(
      "--option <flag>",
      "aggregate, anonymize, graph, split; `aggregate=false` switches off; may be repeated",
      collect,
      [],
    )
    .option("--request-type <name>", "absent: sqlDataRequest")
    .option("--timeout <ms>", "the whole time that the query may take")
    .option("--gateway <url>", "the OpenFaaS gateway", process.env.OPENFAAS_URL ?? "http://127.0.0.1:8080")
    .option("--chart <file>", "write the chart (SVG) to this file")
    .option("--json", "print the answer as JSON")
    .action(async (flags: QueryFlags) => {
      const answer = await ask(flags.gateway, await bodyOf(flags));
      if (flags.chart !== undefined) await writeChart(answer, flags.chart);
      process.stdout.write(`${flags.json ? JSON.stringify(answer.body, null, 2) : answerText(answer)}\n`);
      process.exitCode = answer.status === 200 ? 0 : 1;
    });
}

async function bodyOf(flags: QueryFlags): Promise<QueryBody> {
  const sql = flags.sql.startsWith("@") ? await readFile(flags.sql.slice(1), "utf8") : flags.sql;
  const algorithm = flags.algorithm && {
    name: flags.algorithm,
    ...(flags.column === undefined ? {} : { column: flags.column }),
    ...(flags.groupBy === undefined ? {} : { groupBy: names(flags.groupBy) }),
  };
  return {
    user: { name: flags.user },
    providers: names(flags.providers),
    sql,
    ...(algorithm ? { algorithm } : {}),
    ...(flags.option.length === 0 ? {} : { options: optionsOf(flags.option) }),
    ...(flags.requestType === undefined ? {} : { requestType: flags.requestType }),
    ...(flags.timeout === undefined ? {} : { timeoutMs: timeoutOf(flags.timeout) }),
  };
}

/** The first chart of the answer. @returns whether there was one */
export async function writeChart({ body }: AnsweredQuery, file: string): Promise<boolean> {
  const results = (body.results ?? []) as { chart?: { svg: string } }[];
  const svg = results.find(({ chart }) => chart !== undefined)?.chart?.svg;
  if (svg === undefined) return false;
  await writeFile(file, svg);
  return true;
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
