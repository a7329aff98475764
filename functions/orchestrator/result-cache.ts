/**
 * Answers that may be given again, within a number of bytes: the one that was used longest ago goes first. In this
 * process alone. It knows nothing of what is agreed or of data: whether an answer may be given again is asked of
 * those who know (run-remembering.ts).
 */
import type { DataRevision, Result } from "#contracts";
import { limits } from "#domain/limits";
import type { ChainEnd } from "./collect.ts";

export interface RememberedAnswer {
  readonly queryId: string;
  /** Milliseconds since the epoch. */
  readonly answeredAtMs: number;
  /** Of what was planned and agreed for it. */
  readonly plan: string;
  readonly data: readonly DataRevision[];
  /** By chain; each with a result that is here as a whole. */
  readonly ends: ReadonlyMap<string, ChainEnd>;
}

export interface ResultCache {
  find(question: string): RememberedAnswer | undefined;
  /** One that is too large is not remembered. */
  remember(question: string, answer: RememberedAnswer): void;
  forget(question: string): void;
  readonly bytes: number;
  now(): number;
}

export interface ResultCacheOptions {
  readonly bytesMax: number;
  readonly keptMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Entry {
  readonly answer: RememberedAnswer;
  readonly bytes: number;
}

/** What the objects themselves take, about. */
const entryBytes = 2_048;

export function createResultCache({ bytesMax, keptMs, now }: ResultCacheOptions): ResultCache {
  /** In the order of use, latest last. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function forget(question: string): void {
    bytes -= entries.get(question)?.bytes ?? 0;
    entries.delete(question);
  }

  return {
    find: (question) => {
      const entry = entries.get(question);
      if (entry === undefined) return undefined;
      if (now() - entry.answer.answeredAtMs >= keptMs) {
        forget(question);
        return undefined;
      }
      entries.delete(question);
      entries.set(question, entry);
      return entry.answer;
    },
    remember: (question, answer) => {
      forget(question);
      const size = entryBytes + 2 * (question.length + answer.plan.length) + bytesOf(answer.ends);
      if (size > Math.min(bytesMax, limits.rememberedAnswerBytesMax)) return;
      entries.set(question, { answer: { ...answer, ends: owned(answer.ends) }, bytes: size });
      bytes += size;
      for (const [oldest] of entries) {
        if (bytes <= bytesMax) break;
        forget(oldest);
      }
    },
    forget,
    get bytes() {
      return bytes;
    },
    now,
  };
}

function bytesOf(ends: ReadonlyMap<string, ChainEnd>): number {
  const sizes = [...ends.values()].map(({ content }) => ("result" in content ? resultBytes(content.result) : 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function resultBytes({ table, chart, document }: Result): number {
  return (table?.arrowIpc.length ?? 0) + 2 * (chart?.svg.length ?? 0) + (document?.body.length ?? 0);
}

/** Bytes of a message are often a view of it, which would keep all of it. */
function owned(ends: ReadonlyMap<string, ChainEnd>): ReadonlyMap<string, ChainEnd> {
  return new Map(
    [...ends].map(([chain, end]) => {
      if (!("result" in end.content)) return [chain, end];
      const { table, chart, document } = end.content.result;
      const result: Result = {
        table: table && { ...table, arrowIpc: copyOf(table.arrowIpc) },
        chart,
        document: document && { ...document, body: copyOf(document.body) },
      };
      return [chain, { ...end, content: { result } }];
    }),
  );
}

function copyOf(bytes: Uint8Array): Buffer {
  return Buffer.from(new Uint8Array(bytes).buffer);
}
