/** The queries that this orchestrator runs or has run, for those who ask later. Bounded in number, bytes and age. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Answer } from "./answer.ts";
import { answeringChains, type Collected, hasEnded } from "./collect.ts";
import { createTurn, type Turn } from "./turn.ts";

export interface QueryRecord {
  readonly id: string;
  /** Of the caller who asked it: to others it is not there. */
  readonly subject: string;
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly cancel: () => void;
  /** Of an asynchronous query: its transfers are there until it is forgotten. */
  readonly keepsRows: boolean;
  collected: Collected | undefined;
  answer: Answer | undefined;
  endedAtMs: number;
  /** Others find it at the broker: it goes on when this orchestrator ends. */
  isArchived?: boolean;
  /** Its transfers were dropped. */
  rowsGone: boolean;
  /** Of reading its transfers. */
  readonly turn: Turn;
  /** Bytes of the whole answer by ETag, where they have been counted. */
  readonly lengths: Map<string, Promise<number>>;
  readers: number;
}

type OpenedQuery = Pick<QueryRecord, "id" | "subject" | "startedAtMs" | "deadlineMs" | "cancel" | "keepsRows">;

export interface QueryStore {
  open(query: OpenedQuery): QueryRecord;
  close(record: QueryRecord, answer: Answer): void;
  has(id: string): boolean;
  /** One that ran elsewhere, or still does: then it is looked for again next time. */
  adopt(
    query: Omit<OpenedQuery, "keepsRows"> & { readonly answer: Answer | undefined; readonly endedAtMs: number },
  ): QueryRecord;
  /** @param subject who asks for it. @throws DynamosError NOT_FOUND, also when it is another's */
  find(id: string, subject: string): QueryRecord;
  /** What is being read is not dropped before it was read. @returns to be called once when it was */
  hold(record: QueryRecord): () => void;
  dropRows(record: QueryRecord): void;
  /** Drops every transfer but of what others will answer for; resolves when that is done. */
  clear(): Promise<void>;
}

interface StoreOptions {
  readonly now: () => number;
  /** Best effort: what is not dropped expires. */
  readonly dropTransfer: (name: string) => Promise<void>;
  /** Of one that is no longer kept. */
  readonly forgotten?: (id: string) => void;
  /** Best effort: one that can't be renewed is tried again before it expires. */
  readonly renewTransfer: (name: string) => Promise<void>;
  /** Absent: the limit's. */
  readonly renewMs?: number;
}

export function createQueryStore({ now, dropTransfer, renewTransfer, forgotten, renewMs }: StoreOptions): QueryStore {
  const running = new Map<string, QueryRecord>();
  /** Oldest first. */
  const ended = new Map<string, QueryRecord>();
  let keptBytes = 0;
  let transferBytes = 0;
  const sweep = setInterval(forgetOld, limits.keptSweepMs).unref();
  /** So that they outlive this orchestrator by little. */
  const renewal = setInterval(() => void renewKept(), renewMs ?? limits.transferRenewMs).unref();

  function forgetOld(): void {
    const tooOld = now() - limits.keptQueryMs;
    for (const record of ended.values()) {
      const isOver =
        ended.size > limits.keptQueriesMax ||
        keptBytes > limits.keptQueryBytesMax ||
        transferBytes > limits.keptTransferBytesMax;
      if (!isOver && record.endedAtMs > tooOld) break;
      forget(record);
    }
  }

  async function renewKept(): Promise<void> {
    for (const record of [...ended.values()]) {
      if (!record.keepsRows || record.rowsGone) continue;
      await Promise.allSettled(transferNames(record.answer).map(renewTransfer));
    }
  }

  function forget(record: QueryRecord): void {
    ended.delete(record.id);
    keptBytes -= bytesOf(record);
    if (!record.keepsRows) return;
    forgotten?.(record.id);
    transferBytes -= transferBytesOf(record);
    if (record.readers === 0) dropRows(record);
  }

  async function drop(record: QueryRecord): Promise<void> {
    if (record.rowsGone) return;
    const names = transferNames(record.answer);
    record.rowsGone = names.length > 0;
    await Promise.allSettled(names.map(dropTransfer));
  }

  const dropRows = (record: QueryRecord): void => void drop(record);

  function made(query: OpenedQuery): QueryRecord {
    const rest = { collected: undefined, answer: undefined, endedAtMs: 0, rowsGone: false, readers: 0 };
    return { ...query, ...rest, turn: createTurn(), lengths: new Map() };
  }

  function keep(record: QueryRecord): void {
    ended.set(record.id, record);
    keptBytes += bytesOf(record);
    if (record.keepsRows) transferBytes += transferBytesOf(record);
    forgetOld();
  }

  return {
    open: (query) => {
      const record = made(query);
      running.set(record.id, record);
      return record;
    },
    close: (record, answer) => {
      record.answer = answer;
      record.endedAtMs = now();
      running.delete(record.id);
      keep(record);
    },
    has: (id) => running.has(id) || ended.has(id),
    adopt: ({ answer, endedAtMs, ...query }) => {
      // Asked for twice at once.
      const known = ended.get(query.id);
      if (known !== undefined) return known;
      const record = Object.assign(made({ ...query, keepsRows: true }), { answer, endedAtMs, isArchived: true });
      if (answer !== undefined) keep(record);
      return record;
    },
    find: (id, subject) => {
      forgetOld();
      const record = running.get(id) ?? ended.get(id);
      if (record?.subject !== subject) {
        throw new DynamosError(ErrorCode.NOT_FOUND, "there is no query of this id, or its answer is no longer kept");
      }
      return record;
    },
    hold: (record) => {
      record.readers += 1;
      return () => {
        record.readers -= 1;
        if (record.readers === 0 && !ended.has(record.id)) dropRows(record);
      };
    },
    dropRows,
    clear: async () => {
      clearInterval(sweep);
      clearInterval(renewal);
      await Promise.all([...ended.values()].filter(({ isArchived }) => isArchived !== true).map(drop));
    },
  };
}

/** What the record holds in memory, near enough. */
function bytesOf({ answer }: QueryRecord): number {
  if (answer === undefined) return 0;
  const { results, record, problem } = answer;
  const around = JSON.stringify(problem ?? record).length;
  return results.reduce((sum, { result: { table, chart, document } }) => {
    return sum + (table?.arrowIpc.length ?? 0) + (chart?.svg.length ?? 0) + (document?.body.length ?? 0);
  }, around);
}

function transferBytesOf({ answer }: QueryRecord): number {
  return (answer?.results ?? []).reduce((sum, { result }) => sum + Number(result.table?.transfer?.bytes ?? 0), 0);
}

/** Of an answer's tables that lie at the broker. */
export function transferNames(answer: Pick<Answer, "results"> | undefined): string[] {
  return (answer?.results ?? []).flatMap(({ result }) => result.table?.transfer?.name ?? []);
}

/** What `GET /v1/queries/{id}` shows: how far it is, not what came out. */
export function statusJson({ id, startedAtMs, deadlineMs, collected, answer }: QueryRecord) {
  const plan = collected?.plan;
  const chains = plan === undefined ? [] : answeringChains(plan);
  return {
    id,
    status: answer === undefined ? "running" : statusOf(answer),
    startedAt: new Date(startedAtMs).toISOString(),
    deadline: new Date(deadlineMs).toISOString(),
    chains: chains.map((chain) => ({
      party: chain.party,
      archetype: chain.archetype,
      ended: collected !== undefined && hasEnded(chain, collected),
    })),
  };
}

function statusOf({ problem }: Answer): string {
  if (problem === undefined) return "answered";
  return problem.code === "CANCELLED" ? "cancelled" : String(problem.queryStatus ?? "failed");
}
