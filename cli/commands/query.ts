/** `dynamos query`: one question from the command line. */
import { existsSync } from "node:fs";
import { open, rm, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { demoUser } from "../demo/documents.ts";
import { answerText } from "../print/answer-text.ts";
import { exampleText } from "../print/example-text.ts";
import { bearerToken } from "../tokens/bearer-token.ts";
import { type AnsweredQuery, ask, gatewayDefault } from "./ask.ts";
import { addRequestOptions, type RequestFlags, requestBodyOf, whyNot } from "./request-options.ts";

interface QueryFlags extends RequestFlags {
  readonly sql: string;
  readonly gateway: string;
  readonly json?: boolean;
  readonly chart?: string;
}

export function addQueryCommand(program: Command): void {
  addRequestOptions(
    program
      .command("query")
      .description("ask the parties one question and print what they answer")
      .requiredOption("--sql <text>", "the SQL, or @file to read it from a file"),
  )
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
      const { sql = "", ...asked } = await requestBodyOf(flags);
      const body = { ...asked, sql };
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

/** The first chart of the answer. @returns whether there was one */
export async function writeChart({ body }: AnsweredQuery, file: string): Promise<boolean> {
  const results = (body.results ?? []) as { chart?: { svg: string } }[];
  const svg = results.find(({ chart }) => chart !== undefined)?.chart?.svg;
  if (svg === undefined) return false;
  await writeFile(file, svg);
  return true;
}
