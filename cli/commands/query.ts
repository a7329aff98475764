/** `dynamos query`: one question from the command line. */
import { existsSync } from "node:fs";
import { open, readFile, rm, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { demoUser } from "../demo/documents.ts";
import { answerText } from "../print/answer-text.ts";
import { exampleText } from "../print/example-text.ts";
import { bearerToken } from "../tokens/bearer-token.ts";
import { type AnsweredQuery, ask, gatewayDefault, type QueryBody } from "./ask.ts";

interface QueryFlags {
  readonly sql: string;
  readonly providers: string;
  readonly user?: string;
  readonly token?: string;
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
    .option("--timeout <ms>", "the whole time that the query may take; absent: 30000")
    .option("--gateway <url>", "the OpenFaaS gateway", process.env.OPENFAAS_URL ?? gatewayDefault)
    .option("--chart <file>", "write the chart (SVG) to this file")
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      exampleText(
        "dynamos query --providers UVA,VU --algorithm average --option aggregate \\",
        '  --sql "SELECT p.Geslacht, s.Salschal FROM Personen p JOIN Aanstellingen s USING (Unieknr, Peildat)"',
        'dynamos query --providers UVA --sql "SELECT count(*) AS n FROM Personen" --json',
        "",
        "Its exit code is 0 when there is an answer, though a provider may have refused: the answer says which.",
        "For CSV, NDJSON or Arrow, and tables of any size, ask over HTTP: docs/answers.md",
      ),
    )
    .action(async (flags: QueryFlags) => {
      const body = await bodyOf(flags);
      if (flags.chart !== undefined) await checkWritable(flags.chart);
      const token = await bearerToken(flags.token, flags.user ?? demoUser);
      const answer = await ask({ gatewayUrl: flags.gateway, token }, body);
      if (flags.chart !== undefined && !(await writeChart(answer, flags.chart)) && answer.status === 200) {
        process.stderr.write("the answer has no chart: ask for one with --option graph\n");
      }
      process.stdout.write(`${flags.json ? JSON.stringify(answer.body, null, 2) : answerText(answer)}\n`);
      process.exitCode = answer.status === 200 ? 0 : 1;
    });
}

async function bodyOf(flags: QueryFlags): Promise<QueryBody> {
  const lost = flags.column === undefined ? flags.groupBy && "--group-by" : "--column";
  if (lost && flags.algorithm === undefined) {
    throw new Error(`${lost} is for an algorithm: name one with --algorithm, e.g. --algorithm average`);
  }
  const sql = flags.sql.startsWith("@") ? await sqlFrom(flags.sql.slice(1)) : flags.sql;
  const algorithm = flags.algorithm && {
    name: flags.algorithm,
    ...(flags.column === undefined ? {} : { column: flags.column }),
    ...(flags.groupBy === undefined ? {} : { groupBy: names(flags.groupBy) }),
  };
  return {
    ...(flags.user === undefined ? {} : { user: { name: flags.user } }),
    providers: names(flags.providers),
    sql,
    ...(algorithm ? { algorithm } : {}),
    ...(flags.option.length === 0 ? {} : { options: optionsOf(flags.option) }),
    ...(flags.requestType === undefined ? {} : { requestType: flags.requestType }),
    ...(flags.timeout === undefined ? {} : { timeoutMs: timeoutOf(flags.timeout) }),
  };
}

async function sqlFrom(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`--sql @${file}: ${whyNot(error, "read")}`);
  }
}

/** Before the question is asked, whose answer would be lost. Leaves no empty file where there will be no chart. */
async function checkWritable(file: string): Promise<void> {
  try {
    const isNew = !existsSync(file);
    await (await open(file, "a")).close();
    if (isNew) await rm(file);
  } catch (error) {
    throw new Error(`--chart ${file}: ${whyNot(error, "written")}`);
  }
}

/** @param done what can't be done with the file: `read` or `written` */
function whyNot(error: unknown, done: string): string {
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
