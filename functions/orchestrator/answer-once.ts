/** The response to a query whose rows are sent once: when they are all there, or the head of them before. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { answerHeaders, type Chosen, chooseFormat, streamOf, type Wish } from "./answer-response.ts";
import { headThenRest } from "./head-response.ts";
import type { KeptTools } from "./kept-answer.ts";
import { problemResponse } from "./problem.ts";
import type { QueryRecord } from "./query-store.ts";
import type { ServerTiming } from "./server-timing.ts";

interface Tools extends KeptTools {
  readonly timing: ServerTiming;
}

/** The transfers of an answer that is not kept live until it was sent, or can't be. @throws DynamosError */
export function answerOnce(record: QueryRecord, wish: Wish, { store, reader, log, timing }: Tools): Response {
  const headers = { "x-query-id": record.id, "server-timing": timing.header };
  const drop = () => store.dropRows(record);
  try {
    const { answer } = record;
    if (answer === undefined) throw new DynamosError(ErrorCode.INTERNAL, `query ${record.id} has no answer yet`);
    if (answer.problem !== undefined) return problemResponse(answer.problem, headers);
    const chosen = chooseFormat(answer, wish, reader);
    const all = { ...answerHeaders(answer, chosen), ...headers };
    return new Response(streamOf(chosen.bytes, log, drop), { status: 200, headers: all });
  } catch (error) {
    drop();
    throw error;
  }
}

interface Running {
  readonly record: QueryRecord;
  /** Cancels it. */
  readonly controller: AbortController;
  /** Resolves when its answer is in the record. */
  readonly done: Promise<void>;
}

interface Head {
  readonly chosen: Chosen;
  readonly wish: Wish;
}

/** What is known of it now, and the rest when that is there; a client that leaves cancels it. */
export function answerHeaded(
  { record, controller, done }: Running,
  { chosen, wish }: Head,
  { store, reader, log, timing }: Tools,
): Response {
  const whole = async () => {
    await done;
    return chooseFormat(wholeAnswer(record), wish, reader);
  };
  const bytes = (signal: AbortSignal) => {
    signal.addEventListener("abort", () => controller.abort(), { once: true });
    return headThenRest(chosen, whole, signal);
  };
  const drop = () => void done.then(() => store.dropRows(record));
  return new Response(streamOf(bytes, log, drop), {
    status: 200,
    headers: {
      ...answerHeaders({ id: record.id, complete: true }, chosen),
      "server-timing": timing.header,
      "preference-applied": "first-rows",
    },
  });
}

function wholeAnswer({ id, answer }: QueryRecord) {
  if (answer?.complete === true) return answer;
  const why = answer?.problem?.detail ?? answer?.failed[0]?.message ?? "it has no answer";
  throw new DynamosError(ErrorCode.PART_MISSING, `the rest of query ${id} did not come: ${why}`);
}
