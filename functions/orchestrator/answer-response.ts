/** An answer as an HTTP response: party and format chosen, status known, bytes made while they are taken. */
import { ErrorCode } from "#contracts";
import { DynamosError, toDynamosError } from "#errors";
import type { Log } from "#ports/log";
import type { Answer } from "./answer.ts";
import { answerBytes, rowCount } from "./answer-bytes.ts";
import { type AnswerFormat, acceptedFormats, answerFormats } from "./answer-format.ts";
import { openTable, type TableReader } from "./open-table.ts";

export interface Wish {
  readonly accept: string | undefined;
  /** One party's result alone. */
  readonly party: string | undefined;
}

export interface Chosen {
  readonly format: AnswerFormat;
  /** The same for the same answer, format and party. */
  readonly etag: string;
  /** Of the whole answer, in the formats of rows. */
  readonly rows: number | undefined;
  /** Makes them anew each time; equal each time. */
  readonly bytes: (signal: AbortSignal) => AsyncGenerator<Uint8Array>;
}

/** @throws DynamosError NOT_ACCEPTABLE when no answer could be in any of the accepted formats */
export function checkAccept(accept: string | undefined): void {
  if (acceptedFormats(accept).length > 0) return;
  const offered = answerFormats.map(({ mediaType }) => mediaType).join(", ");
  throw new DynamosError(ErrorCode.NOT_ACCEPTABLE, `answers are ${offered}`);
}

/**
 * The first of the accepted formats that this answer can be in.
 * @throws DynamosError NOT_ACCEPTABLE, NOT_FOUND (no result of this party), or why the party has none
 */
export function chooseFormat(answer: Answer, { accept, party }: Wish, reader: TableReader): Chosen {
  checkAccept(accept);
  const wanted = wantedOf(answer, party);
  const whyNot: string[] = [];
  for (const format of acceptedFormats(accept)) {
    const bytes = (signal: AbortSignal) => answerBytes(wanted, format, (table) => openTable(table, reader, signal));
    const tried = bytes(new AbortController().signal);
    if (typeof tried === "string") {
      whyNot.push(tried);
      continue;
    }
    const of = party === undefined ? "" : `.${encodeURIComponent(party)}`;
    const etag = `"${answer.id}.${format.name}${of}"`;
    return { format, etag, rows: rowCount(wanted, format), bytes: bytes as Chosen["bytes"] };
  }
  const parties = wanted.results.map((result) => `?party=${result.party}`);
  const choose = parties.length > 1 ? `, or choose one with ${parties.join(" or ")}` : "";
  throw new DynamosError(ErrorCode.NOT_ACCEPTABLE, `${whyNot[0]}: accept application/json${choose}`);
}

/** @throws DynamosError NOT_FOUND (no result of this party), or why the party has none */
export function wantedOf(answer: Answer, party: string | undefined): Answer {
  if (party === undefined) return answer;
  const results = answer.results.filter((result) => result.party === party);
  if (results.length > 0) return { ...answer, results, answering: [party] };
  const failure = answer.failed.find((one) => one.party === party);
  if (failure !== undefined) throw DynamosError.fromFailure(failure);
  const there = answer.results.map((result) => result.party).join(", ");
  throw new DynamosError(ErrorCode.NOT_FOUND, `there is no result of the party that was named: there are ${there}`);
}

export function answerHeaders(
  { id, complete, reused }: Pick<Answer, "id" | "complete" | "reused">,
  { format, rows }: Chosen,
): Record<string, string> {
  return {
    "content-type": format.contentType,
    vary: "Accept",
    "x-query-id": id,
    // A table alone can't say that a provider's rows are not in it.
    "x-query-complete": String(complete),
    // Proxies may end a body that broke off as if it were whole (net/http's, with io.Copy).
    ...(rows === undefined ? {} : { "x-query-rows": String(rows) }),
    ...(reused === undefined ? {} : { "x-query-reused": reused.queryId }),
  };
}

/**
 * @param bytes get a signal that fires when no more of them is wanted
 * @param ended called once, when all was taken, when it failed, or when the client has left
 */
export function streamOf(
  bytes: (signal: AbortSignal) => AsyncGenerator<Uint8Array>,
  log: Log,
  ended: () => void = () => {},
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const pieces = bytes(gone.signal);
  let isEnded = false;
  const end = () => {
    gone.abort();
    if (!isEnded) ended();
    isEnded = true;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next();
          if (!done) return controller.enqueue(value);
          end();
          controller.close();
        } catch (error) {
          const { label, message } = toDynamosError(error);
          if (!gone.signal.aborted) log.log("warn", "an answer broke off", { code: label, reason: message });
          end();
          controller.error(error);
        }
      },
      async cancel() {
        gone.abort();
        await pieces.return(undefined).catch(() => {});
        end();
      },
    },
    // Nothing is made before somebody takes it.
    { highWaterMark: 0 },
  );
}
