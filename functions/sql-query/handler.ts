/** Runs the user's SQL over the party's own data, and nothing that the approval does not cover. */
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { approvalKeysFile, readApprovalKeys } from "#approval/approval-keys";
import { type Envelope, ErrorCode, type Table, type Terms } from "#contracts";
import { runQuery } from "#data/session";
import type { Emit } from "#data/table-sink";
import { forwardResult } from "#domain/outcome";
import { DynamosError } from "#errors";
import { defineStep, type StepContext } from "#runtime/define-step";
import { approvedTerms } from "./approved-terms.ts";
import { rehearsalFile, rehearsalOf } from "./rehearsal.ts";

const memoryMbDefault = 256;

export default defineStep<Table>({
  name: "sql-query",
  isolation: "single-use",
  workers: "spawn",
  accepts: "nothing",
  facts: async (envelope, context, { emit }) => {
    const terms = approvedTerms(envelope, { keys: await approvalKeysOf(context), nowMs: context.now() });
    return queryOf(envelope, terms, context, emit);
  },
  decide: (_, table) => forwardResult({ table, chart: undefined, document: undefined }),
  rehearse: async (context) => {
    // Without them nothing can be asked: better said at the start than to whoever asks.
    await approvalKeysOf(context);
    const data = join(context.temporaryFolder, "rehearsal");
    await mkdir(data);
    await writeFile(join(data, rehearsalFile.name), rehearsalFile.content);
    const nowMs = context.now();
    const { envelope, keys } = rehearsalOf(nowMs);
    const environment = { ...context.environment, data_dir: data, cache_dir: data };
    const terms = approvedTerms(envelope, { keys, nowMs });
    await queryOf(envelope, terms, { ...context, environment }, async () => {});
  },
});

/** Read each time: a worker that has waited for long would know the keys of yesterday. */
function approvalKeysOf({ environment }: StepContext) {
  return readApprovalKeys(environment.approval_keys_file || approvalKeysFile);
}

async function queryOf(
  { query, knowledge, party, deadlineMs, chain, gather }: Envelope,
  terms: Terms,
  context: StepContext,
  emit: Emit,
): Promise<Table> {
  const { environment } = context;
  if (environment.data_dir === undefined || environment.data_dir === "") {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, "the function has no data_dir");
  }
  // Each invocation has a working folder of its own, so a relative path would lead nowhere.
  if (!isAbsolute(environment.data_dir)) {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, "the function's data_dir must be an absolute path");
  }
  const dataSets = (knowledge?.dataSets ?? []).filter((dataSet) => dataSet.party === party);
  // Where the algorithm runs, the data set's description may not be known.
  const measure = dataSets.find(({ name, measure }) => measure !== undefined && terms.dataSets.includes(name))?.measure;
  const isComputed = [...(chain?.steps ?? []), ...(gather?.steps ?? [])].includes("sql-algorithm");
  return runQuery({
    sql: query?.sql ?? "",
    terms,
    dataSets,
    folders: { data: environment.data_dir, cache: environment.cache_dir || join(tmpdir(), "dynamos-cache") },
    anonymize: [...(chain?.steps ?? []), ...terms.demandedSteps].includes("sql-anonymize"),
    memoryMb: numberOf(environment.duckdb_memory_mb),
    leftMs: deadlineMs - context.now(),
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
