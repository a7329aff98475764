/** `dynamos audit`: what a party has on record, exported, verified without the party, and told. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { readPublicKey } from "#adapters/system/record-crypto";
import type { ChainHead, PartyKey, RecordLine } from "#domain/audit/verification";
import { queryStory, storyColumns } from "../audit/query-story.ts";
import { selectedLines } from "../audit/selected-lines.ts";
import { fieldsOf, linesOfFile, storedLines } from "../audit/stored-records.ts";
import { reportText, verifyLines } from "../audit/verify-lines.ts";
import { exampleText } from "../print/example-text.ts";
import { textTable } from "../print/text-table.ts";
import { stateFolder } from "../tokens/state-folder.ts";

interface StoredFlags {
  readonly records?: string;
  readonly party?: string;
  readonly query?: string;
  readonly since?: string;
}

interface VerifyFlags {
  readonly key: readonly string[];
  readonly head?: string;
  readonly selection?: boolean;
}

export const recordsHelp = "folder of the records; absent: records in ~/.dynamos (or DYNAMOS_HOME)";

export function recordsFolder(given: string | undefined): string {
  return given ?? join(stateFolder(), "records");
}

export function addAuditCommand(program: Command): void {
  const audit = program.command("audit").description("the record of what was decided, run and released");
  addExport(audit);
  addHead(audit);
  addShow(audit);
  addVerify(audit);
}

function addExport(audit: Command): void {
  audit
    .command("export")
    .description("records as JSON lines; picked ones with the first of their chain, which names the key")
    .option("--records <dir>", recordsHelp)
    .option("--party <name>", "of this party alone")
    .option("--query <id>", "of this query alone")
    .option("--since <time>", "from this time on, such as 2026-01-31 or 2026-01-31T12:00:00Z")
    .addHelpText(
      "after",
      exampleText(
        "dynamos audit export --party UVA > uva.jsonl",
        "dynamos audit export --records DIR --query ID > query.jsonl",
        "",
        "What was picked is verified as a selection: see dynamos audit verify.",
      ),
    )
    .action(async ({ records, party, query, since }: StoredFlags) => {
      const lines = storedLines(recordsFolder(records), party);
      const isWhole = query === undefined && since === undefined;
      const wanted = isWhole
        ? lines
        : selectedLines(lines, { queryId: query, sinceMs: since === undefined ? undefined : timeOf(since) });
      await write(wanted, ({ text, isUnfinished }) => (isUnfinished ? text : `${text}\n`));
    });
}

function addHead(audit: Command): void {
  audit
    .command("head")
    .description("the last record of each chain: kept elsewhere, it shows later whether an end was cut off")
    .option("--records <dir>", recordsHelp)
    .option("--party <name>", "of this party alone")
    .addHelpText("after", exampleText("dynamos audit head > heads.jsonl"))
    .action(async ({ records, party }: StoredFlags) => {
      const options = { keys: undefined, heads: [], isSelection: false };
      const { chains } = await verifyLines(storedLines(recordsFolder(records), party), options);
      for (const { party: whose, instance, seq, hash } of chains) {
        process.stdout.write(`${JSON.stringify({ party: whose, instance, seq, hash })}\n`);
      }
    });
}

function addShow(audit: Command): void {
  audit
    .command("show")
    .description("one query: who decided, ran and released what, when, by which rule and revision")
    .requiredOption("--query <id>", "as in its answer")
    .option("--records <dir>", recordsHelp)
    .option("--party <name>", "as this party has it")
    .addHelpText("after", exampleText("dynamos audit show --query ID"))
    .action(async ({ records, party, query = "" }: StoredFlags) => {
      const rows = await queryStory(storedLines(recordsFolder(records), party), query);
      if (rows.length === 0) throw new Error(`there is nothing on record about query ${query}`);
      const columns = storyColumns.map((name) => ({ name }));
      process.stdout.write(`${textTable({ columns, rows }, { rowsMax: rowsShownMax, cellCharsMax: 80 })}\n`);
    });
}

const rowsShownMax = 500;

function addVerify(audit: Command): void {
  audit
    .command("verify")
    .description("whether records are as they were written: names what was altered, removed, inserted or moved")
    .argument("<file...>", "JSON lines, as exported or as they lie in a records folder")
    .option(
      "--key <file>",
      "public key of a party, JWK or PEM; may be repeated",
      (file, before: string[]) => [...before, file],
      [],
    )
    .option("--head <file>", "last records that are known, from `dynamos audit head`: an end that is missing is named")
    .option("--selection", "the file holds records that were picked: others may be missing")
    .addHelpText(
      "after",
      exampleText(
        "dynamos audit verify uva.jsonl --key record-key.jwk.json --head heads.jsonl",
        "",
        "Needs no party and no network. Ends with 1 when something is wrong. More in docs/record.md",
      ),
    )
    .action(async (files: string[], { key, head, selection = false }: VerifyFlags) => {
      const keys = key.length === 0 ? undefined : await Promise.all(key.map(readKey));
      const heads = head === undefined ? [] : await readHeads(head);
      const options = { keys, heads, isSelection: selection };
      const report = await verifyLines(linesOfFiles(files), options);
      if (report.records === 0 && report.problemsInAll === 0) throw new Error("there are no records in there");
      process.stdout.write(reportText(report, options));
      if (report.problemsInAll > 0) process.exitCode = 1;
    });
}

async function* linesOfFiles(files: readonly string[]): AsyncGenerator<RecordLine> {
  for (const file of files) yield* linesOfFile(file);
}

async function readKey(file: string): Promise<PartyKey> {
  const text = await readFile(file, "utf8");
  if (text.includes("PRIVATE KEY")) throw new Error(`--key ${file}: that is the private key; give the public one`);
  try {
    return readPublicKey(text);
  } catch {
    throw new Error(`--key ${file}: must be an Ed25519 public key, JWK or PEM`);
  }
}

async function readHeads(file: string): Promise<ChainHead[]> {
  const heads: ChainHead[] = [];
  for await (const { text, line } of linesOfFile(file)) {
    const { party, instance, seq, hash } = fieldsOf(text);
    const isHead = [party, instance, hash].every((part) => typeof part === "string") && Number.isSafeInteger(seq);
    if (!isHead) throw new Error(`--head ${file}: line ${line} is no head`);
    heads.push({ party: String(party), instance: String(instance), seq: Number(seq), hash: String(hash) });
  }
  return heads;
}

function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Error(`--since ${text}: must be a time such as 2026-01-31T12:00:00Z`);
  return ms;
}

/** At the pace of who reads it. */
async function write(lines: AsyncIterable<RecordLine>, textOf: (line: RecordLine) => string): Promise<void> {
  for await (const line of lines) {
    if (!process.stdout.write(textOf(line))) await new Promise((resume) => process.stdout.once("drain", resume));
  }
}
