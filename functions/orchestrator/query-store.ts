/** The queries that this orchestrator runs or has run, for those who ask later. Bounded in number, bytes and age. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Answer } from "./answer.ts";
import { answeringChains, type Collected, hasEnded } from "./collect.ts";

export interface QueryRecord {
  readonly id: string;
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly cancel: () => void;
  collected: Collected | undefined;
  /** The body's text, so that it is made once. */
  answer: { readonly status: number; readonly contentType: string; readonly text: string } | undefined;
}

export interface QueryStore {
  /** @throws DynamosError OVERLOADED */
  open(record: QueryRecord): void;
  close(record: QueryRecord, answer: Answer): void;
  /** @throws DynamosError NOT_FOUND */
  find(id: string): QueryRecord;
}

export function createQueryStore(now: () => number): QueryStore {
  const running = new Map<string, QueryRecord>();
  /** Oldest first. */
  const ended = new Map<string, QueryRecord>();
  let endedBytes = 0;

  function forgetOld(): void {
    const tooOld = now() - limits.keptQueryMs;
    for (const [id, record] of ended) {
      const isOver = ended.size > limits.keptQueriesMax || endedBytes > limits.keptQueryBytesMax;
      if (!isOver && record.startedAtMs > tooOld) break;
      ended.delete(id);
      endedBytes -= record.answer?.text.length ?? 0;
    }
  }

  return {
    open: (record) => {
      if (running.size >= limits.runningQueriesMax) {
        throw new DynamosError(ErrorCode.OVERLOADED, `${running.size} queries are running, come back in a moment`);
      }
      running.set(record.id, record);
    },
    close: (record, { status, contentType, body }) => {
      record.answer = { status, contentType, text: `${JSON.stringify(body)}\n` };
      running.delete(record.id);
      ended.set(record.id, record);
      endedBytes += record.answer.text.length;
      forgetOld();
    },
    find: (id) => {
      const record = running.get(id) ?? ended.get(id);
      if (record === undefined) {
        throw new DynamosError(ErrorCode.NOT_FOUND, "there is no query of this id, or its answer is no longer kept");
      }
      return record;
    },
  };
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

function statusOf({ status, text }: NonNullable<QueryRecord["answer"]>): string {
  if (status === 200) return "answered";
  const { queryStatus, code } = JSON.parse(text) as { queryStatus?: string; code?: string };
  return code === "CANCELLED" ? "cancelled" : (queryStatus ?? "failed");
}
