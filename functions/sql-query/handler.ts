/** Runs the user's SQL over the party's own data, and nothing that the approval does not cover. */
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { approvalKeysFile, readApprovalKeys } from "#approval/approval-keys";
import { type DataSet, type Envelope, ErrorCode, type Table, type Terms } from "#contracts";
import { connectionFileEnd } from "#data/connection-file-end";
import { dataRevision } from "#data/data-revision";
import { type Engine, openEngine } from "#data/duckdb";
import { runQuery } from "#data/session";
import type { Emit } from "#data/table-sink";
import { givesHead } from "#domain/head";
import { compare, forwardResult } from "#domain/outcome";
import { isComparing } from "#domain/reuse";
import { DynamosError } from "#errors";
import { defineStep, type PreparedContext, type StepContext } from "#runtime/define-step";
import { approvedTerms } from "./approved-terms.ts";
import { rehearsalFile, rehearsalOf, rehearsalQueries } from "./rehearsal.ts";

const memoryMbDefault = 256;

type Facts = { readonly table: Table; readonly dataRevision: string } | { readonly unchanged: boolean };

export default defineStep<Facts, Engine>({
  name: "sql-query",
  isolation: "single-use",
  fusible: ["sql-anonymize", "sql-algorithm", "sql-graph"],
  accepts: "nothing",
  networkFiles: connectionFileEnd,
  facts: async (envelope, context, { emit }) => {
    const terms = approvedTerms(envelope, { keys: await approvalKeysOf(context), nowMs: context.now() });
    // Before the rows are read: what changes in between makes another revision than this one.
    const revision = await revisionOf(envelope, terms, context);
    if (isComparing(envelope)) return { unchanged: revision !== "" && revision === askedRevision(envelope) };
    return { table: await queryOf(envelope, terms, context, emit), dataRevision: revision };
  },
  decide: (_, facts) =>
    "table" in facts
      ? forwardResult({ table: facts.table, chart: undefined, document: undefined }, facts.dataRevision)
      : compare(facts.unchanged),
  rehearse: async (context) => {
    // Without them nothing can be asked: better said at the start than to whoever asks.
    await approvalKeysOf(context);
    const data = join(context.temporaryFolder, "rehearsal");
    await mkdir(data);
    await writeFile(join(data, rehearsalFile.name), rehearsalFile.content);
    const environment = { ...context.environment, data_dir: data, cache_dir: data };
    const { prepared, ...rest } = context;
    for (const [i, sql] of rehearsalQueries.entries()) {
      const nowMs = context.now();
      const { envelope, keys } = rehearsalOf(sql, nowMs);
      const terms = approvedTerms(envelope, { keys, nowMs });
      // What was prepared serves one query: the last, by which the file has been imported, as the party's own most often have.
      const isLast = i === rehearsalQueries.length - 1;
      await queryOf(
        envelope,
        terms,
        { ...rest, environment, ...(isLast && prepared ? { prepared } : {}) },
        async () => {},
      );
    }
  },
  // An empty database: 15 to 20 ms of work that is the same for every query. It ends with the process.
  prepare: ({ environment }) => openEngine({ memoryMb: numberOf(environment.duckdb_memory_mb), threads: 1 }),
});

/** Read each time: a worker that has waited for long would know the keys of yesterday. */
function approvalKeysOf({ environment }: StepContext) {
  return readApprovalKeys(environment.approval_keys_file || approvalKeysFile);
}

function askedRevision({ query, party }: Envelope): string | undefined {
  return query?.reuse?.data.find(({ provider }) => provider === party)?.revision;
}

/** @returns empty: not known, or nobody asks */
async function revisionOf(envelope: Envelope, terms: Terms, { environment }: StepContext): Promise<string> {
  if (envelope.query?.reuse === undefined) return "";
  return dataRevision(
    dataSetsOf(envelope).filter(({ name }) => terms.dataSets.includes(name)),
    foldersOf(environment),
  );
}

function dataSetsOf({ knowledge, party }: Envelope): DataSet[] {
  return (knowledge?.dataSets ?? []).filter((dataSet) => dataSet.party === party);
}

/** @throws DynamosError DATA_UNREADABLE */
function foldersOf({ data_dir: data = "", cache_dir: cache }: StepContext["environment"]) {
  if (data === "") throw new DynamosError(ErrorCode.DATA_UNREADABLE, "the function has no data_dir");
  // Each invocation has a working folder of its own, so a relative path would lead nowhere.
  if (!isAbsolute(data)) {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, "the function's data_dir must be an absolute path");
  }
  return { data, cache: cache || join(tmpdir(), "dynamos-cache") };
}

async function queryOf(envelope: Envelope, terms: Terms, context: PreparedContext<Engine>, emit: Emit): Promise<Table> {
  const { query, deadlineMs, chain, gather } = envelope;
  const { environment, prepared: engine } = context;
  const dataSets = dataSetsOf(envelope);
  // Where the algorithm runs, the data set's description may not be known.
  const measure = dataSets.find(({ name, measure }) => measure !== undefined && terms.dataSets.includes(name))?.measure;
  const isComputed = [...(chain?.steps ?? []), ...(gather?.steps ?? [])].includes("sql-algorithm");
  return runQuery({
    sql: query?.sql ?? "",
    terms,
    dataSets,
    folders: foldersOf(environment),
    anonymize: [...(chain?.steps ?? []), ...terms.demandedSteps].includes("sql-anonymize"),
    memoryMb: numberOf(environment.duckdb_memory_mb),
    ...(engine === undefined ? {} : { engine }),
    leftMs: deadlineMs - context.now(),
    headAlone: givesHead(envelope),
    emit,
    notes: measure === undefined ? {} : { measure },
    ...(isComputed && query?.algorithm !== undefined ? { algorithm: query.algorithm } : {}),
  });
}

function numberOf(text: string | undefined): number {
  const number = Number(text ?? memoryMbDefault);
  if (!Number.isInteger(number) || number < 64) {
    throw new DynamosError(ErrorCode.INTERNAL, "duckdb_memory_mb must be a whole number from 64");
  }
  return number;
}
