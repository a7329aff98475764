/** `GET /v1/queries/{id}/result`: an answer that is kept, whole or from where a download broke off. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Log } from "#ports/log";
import type { Answer } from "./answer.ts";
import { answerHeaders, type Chosen, chooseFormat, streamOf, type Wish } from "./answer-response.ts";
import { askedRange, bytesWithin, lengthOf, rangeWithin } from "./byte-range.ts";
import { hasTag } from "./entity-tags.ts";
import type { TableReader } from "./open-table.ts";
import { problem, problemResponse } from "./problem.ts";
import type { QueryRecord, QueryStore } from "./query-store.ts";
import { within } from "./within.ts";

export interface KeptRequest extends Wish {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

export interface KeptTools {
  readonly store: QueryStore;
  readonly reader: TableReader;
  readonly log: Log;
}

/** @throws DynamosError NOT_FOUND (its rows were sent once), NOT_ACCEPTABLE, OVERLOADED, and what reading fails with */
export async function keptResponse(
  record: QueryRecord & { readonly answer: Answer },
  asked: KeptRequest,
  tools: KeptTools,
): Promise<Response> {
  const { answer } = record;
  if (answer.problem !== undefined) return problemResponse(answer.problem, { "x-query-id": record.id });
  if (record.rowsGone || (!record.keepsRows && hasTransfer(answer))) {
    const message = "the rows of this answer were sent once: ask with `Prefer: respond-async` to have them kept";
    throw new DynamosError(ErrorCode.NOT_FOUND, message);
  }
  const chosen = chooseFormat(answer, asked, tools.reader);
  const { etag } = chosen;
  const headers = { ...answerHeaders(answer, chosen), etag, "accept-ranges": "bytes" };
  if (hasTag(asked.ifNoneMatch, etag.slice(1, -1))) return new Response(null, { status: 304, headers });
  const bytes = readable(record, chosen, tools.store);
  // If-Range holds for a strong tag only; a date is none of ours (RFC 9110 section 13.1.5).
  const range = asked.ifRange === undefined || asked.ifRange.trim() === etag ? askedRange(asked.range) : undefined;
  if (range === undefined) {
    const total = await Promise.race([record.lengths.get(etag), undefined]);
    const length: Record<string, string> = total === undefined ? {} : { "content-length": String(total) };
    return new Response(streamOf(bytes, tools.log), { status: 200, headers: { ...headers, ...length } });
  }
  const total = await countedLength(record, etag, bytes);
  const within = rangeWithin(range, total);
  if (within === undefined) {
    const beyond = problem(ErrorCode.RANGE_NOT_SATISFIABLE, `this answer has ${total} bytes`);
    return problemResponse(beyond, { "content-range": `bytes */${total}` });
  }
  const part = streamOf((signal) => bytesWithin(bytes(signal), within), tools.log);
  return new Response(part, {
    status: 206,
    headers: {
      ...headers,
      "content-range": `bytes ${within.first}-${within.last}/${total}`,
      "content-length": String(within.last - within.first + 1),
    },
  });
}

/** Its transfers are held, and one reads them at a time, from the first byte on to the last. */
function readable(
  record: QueryRecord & { readonly answer: Answer },
  { bytes }: Chosen,
  store: QueryStore,
): Chosen["bytes"] {
  if (!hasTransfer(record.answer)) return bytes;
  return async function* held(signal) {
    const letGo = store.hold(record);
    try {
      const release = await record.turn.take(limits.turnWaitMsMax);
      try {
        yield* bytes(signal);
      } finally {
        release();
      }
    } finally {
      letGo();
    }
  };
}

/** A first pass, which a `Content-Range` needs. It goes on when this request can't wait for it, for the next one. */
async function countedLength(record: QueryRecord, etag: string, bytes: Chosen["bytes"]): Promise<number> {
  let counted = record.lengths.get(etag);
  if (counted === undefined) {
    counted = lengthOf(bytes(new AbortController().signal));
    record.lengths.set(etag, counted);
    counted.catch(() => record.lengths.delete(etag));
  }
  const total = await within(limits.countWaitMsMax, counted);
  if (total !== undefined) return total;
  throw new DynamosError(
    ErrorCode.OVERLOADED,
    "the bytes of this answer are still being counted, come back in a moment",
  );
}

function hasTransfer({ results }: Answer): boolean {
  return results.some(({ result }) => result.table?.transfer !== undefined);
}
