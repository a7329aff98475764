/**
 * Asynchronous queries and their answers at the broker, in transfers of the exchange for itself: so that another
 * orchestrator, or the next one, answers for them. Tables that are transfers stay where they are, and expire when
 * nobody renews them.
 */
import { ErrorCode, Result } from "#contracts";
import { limits } from "#domain/limits";
import { transferName } from "#domain/route";
import { hasCode } from "#errors";
import type { Log } from "#ports/log";
import type { SidecarApi } from "#sidecar/client";
import { type Answer, problemAnswer } from "./answer.ts";
import { problem } from "./problem.ts";
import type { QueryRecord } from "./query-store.ts";

export interface QueryArchive {
  /** Best effort: without it this orchestrator alone knows of the query. */
  began(record: QueryRecord): Promise<void>;
  /** The same. Says so in the record. */
  ended(record: QueryRecord, answer: Answer): Promise<void>;
  /** @returns undefined: there is none of this id, or it is no longer kept. @throws DynamosError BROKER_UNAVAILABLE */
  find(id: string): Promise<Archived | undefined>;
  drop(id: string): Promise<void>;
}

export interface Archived {
  readonly id: string;
  readonly subject: string;
  readonly startedAtMs: number;
  readonly deadlineMs: number;
  readonly endedAtMs: number;
  /** Absent: it still runs somewhere. */
  readonly answer: Answer | undefined;
}

export interface ArchiveOptions {
  readonly api: Pick<SidecarApi, "writeTransfer" | "readTransfer" | "dropTransfer">;
  readonly exchangeParty: string;
  readonly log: Log;
  readonly now: () => number;
}

type Asked = Pick<Archived, "id" | "subject" | "startedAtMs" | "deadlineMs">;
type Ended = Asked & { readonly endedAtMs: number; readonly answer: Answer };

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const askedId = (id: string) => `asked-${id}`;
const answeredId = (id: string) => `answered-${id}`;
/** From a deadline until its answer must be there. */
const lateMsMax = 10_000;

export function createQueryArchive({ api, exchangeParty, log, now }: ArchiveOptions): QueryArchive {
  /** A transfer has one reader at a time. */
  const finding = new Map<string, Promise<Archived | undefined>>();
  const nameOf = (id: string) => transferName(exchangeParty, exchangeParty, id);

  /** @returns whether it is there */
  async function write(id: string, text: string): Promise<boolean> {
    const bytes = Buffer.from(text);
    if (bytes.length > limits.archivedAnswerBytesMax) {
      log.log("warn", "an answer is too large to outlive this orchestrator", { id, bytes: bytes.length });
      return false;
    }
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += limits.transferChunkBytesMax) {
      chunks.push(bytes.subarray(at, at + limits.transferChunkBytesMax));
    }
    try {
      await api.writeTransfer({ id, expiresInMs: limits.keptQueryMs, chunks });
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      log.log("warn", "an answer would not outlive this orchestrator", { id, reason });
      return false;
    }
  }

  async function read(id: string): Promise<string | undefined> {
    const pieces: Uint8Array[] = [];
    try {
      const signal = AbortSignal.timeout(limits.archiveReadMsMax);
      for await (const chunk of api.readTransfer(nameOf(id), signal)) pieces.push(chunk);
    } catch (error) {
      if (hasCode(error, ErrorCode.TRANSFER_LOST)) return undefined;
      throw error;
    }
    // Being written: as if it were not there yet.
    return pieces.length === 0 ? undefined : Buffer.concat(pieces).toString();
  }

  async function find(id: string): Promise<Archived | undefined> {
    if (!uuid.test(id)) return undefined;
    const ended = endedOf(await read(answeredId(id)));
    if (ended !== undefined) return ended;
    const text = await read(askedId(id));
    if (text === undefined) return undefined;
    const asked = JSON.parse(text) as Asked;
    const isLost = now() > asked.deadlineMs + lateMsMax;
    return { ...asked, endedAtMs: asked.deadlineMs, answer: isLost ? lostAnswer(id) : undefined };
  }

  return {
    began: async ({ id, subject, startedAtMs, deadlineMs }) => {
      await write(askedId(id), JSON.stringify({ id, subject, startedAtMs, deadlineMs } satisfies Asked));
    },
    ended: async (record, answer) => {
      const { id, subject, startedAtMs, deadlineMs, endedAtMs } = record;
      const text = endedText({ id, subject, startedAtMs, deadlineMs, endedAtMs, answer });
      record.isArchived = await write(answeredId(id), text);
    },
    find: (id) => {
      const found = finding.get(id) ?? find(id).finally(() => finding.delete(id));
      finding.set(id, found);
      return found;
    },
    drop: async (id) => {
      await Promise.allSettled([askedId(id), answeredId(id)].map((one) => api.dropTransfer(nameOf(one))));
    },
  };
}

/** As JSON, but for the results: they hold bytes. */
function endedText({ answer, ...rest }: Ended): string {
  const results = answer.results.map(({ result, ...of }) => ({
    ...of,
    result: Buffer.from(Result.encode(result).finish()).toString("base64"),
  }));
  return JSON.stringify({ ...rest, answer: { ...answer, results } });
}

/** @returns undefined also for what is not whole: its last chunk may be on its way */
function endedOf(text: string | undefined): Ended | undefined {
  if (text === undefined) return undefined;
  let json: Ended;
  try {
    json = JSON.parse(text) as Ended;
  } catch {
    return undefined;
  }
  const results = json.answer.results.map((one) => ({
    ...one,
    result: Result.decode(Buffer.from(String(one.result), "base64")),
  }));
  return { ...json, answer: { ...json.answer, results } };
}

function lostAnswer(id: string): Answer {
  const message = "the orchestrator that ran this query ended before its answer was there: ask again";
  return problemAnswer(id, problem(ErrorCode.FUNCTION_UNAVAILABLE, message, { queryStatus: "failed", id }));
}
