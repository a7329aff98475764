/**
 * Asks one query twice: for the head of its answer, and, where there is more than that, for all of it under the next
 * attempt. Each run is decided on, planned and recorded as any other (docs/decisions/0028).
 */
import { ErrorCode } from "#contracts";
import { sourceOf } from "#data/table-source";
import { labelOf } from "#errors";
import type { Answer, PartyResult } from "./answer.ts";
import { type Collected, nothingCollected } from "./collect.ts";
import { transferNames } from "./query-store.ts";
import type { Run, RunOptions } from "./run-query.ts";

export interface HeadedRun {
  /** What can be told before the rest is there; undefined: nothing. Never rejects. */
  readonly head: Promise<Answer | undefined>;
  /** Never rejects. */
  readonly whole: Promise<Answer>;
}

export function runWithHead<Options extends RunOptions>(run: Run<Options>, options: Options): HeadedRun {
  let collected: Collected = nothingCollected;
  const onProgress = (known: Collected) => {
    collected = known;
    options.onProgress(known);
  };
  const asked = run({ ...options, query: { ...options.query, head: true }, onProgress });
  const first = asked.then((answer) => ({ answer, isCut: isCut(answer) }));
  const { api } = options;
  return {
    head: first.then(({ answer, isCut }) => (isCut && answer.complete && isHere(answer) ? answer : undefined)),
    whole: first.then(({ answer, isCut }) => {
      if (!isCut && !isUnknown(answer)) return answer;
      // Of an answer that is not used; best effort, as it expires.
      for (const name of transferNames(answer)) void api.dropTransfer(name).catch(() => {});
      return run({ ...options, attempt: collected.attempt + 1 });
    }),
  };
}

/** @returns how many rows the party's table has, where only its head is here */
export function headOf({ result: { table } }: PartyResult): number | undefined {
  try {
    return table && sourceOf(table).headOf;
  } catch {
    // Who opens it for its rows says what is wrong with it.
    return undefined;
  }
}

function isCut({ results }: Answer): boolean {
  return results.some((result) => headOf(result) !== undefined);
}

/** An older version finds no head in the query, and so an approval of another one. */
function isUnknown({ problem, failed }: Answer): boolean {
  const code = ErrorCode.APPROVAL_INVALID;
  return problem?.code === labelOf(code) || failed.some((failure) => failure.code === code);
}

function isHere({ results }: Answer): boolean {
  return results.every(({ result: { table } }) => table !== undefined && table.transfer === undefined);
}
