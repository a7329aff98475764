/** What became of the queries of many runs. */
import { createHash } from "node:crypto";
import type { Reply } from "#contracts";
import type { End } from "../mortal/ask-made-up.ts";

export interface Tally {
  runs: number;
  queries: number;
  right: number;
  /** Failures with a known cause, by code. */
  readonly named: Record<string, number>;
  /** Nobody told the asker anything: only the time ran out, for the asker or for a gather. */
  readonly lost: string[];
  /** Different answers to one query. */
  readonly doubled: string[];
  /** Not even that: the asker still waits after its deadline. */
  readonly stuck: string[];
  /** Answers with other numbers than the data has. */
  readonly wrong: string[];
  /** Replies that came again and counted once. */
  repeated: number;
  /** A chain of which the asker was sent both a result and a failure; it hears the first. */
  contradicted: number;
  /** Kills that happened, by kind; a plan may name a point that its run never reaches. */
  readonly kills: Record<string, number>;
  /** How long each restart of the broker took, in milliseconds. */
  readonly brokerAwayMs: number[];
  /** Queues that are not as they should be in the end. */
  readonly left: string[];
}

export function emptyTally(): Tally {
  return {
    runs: 0,
    queries: 0,
    right: 0,
    named: {},
    lost: [],
    doubled: [],
    stuck: [],
    wrong: [],
    repeated: 0,
    contradicted: 0,
    kills: {},
    brokerAwayMs: [],
    left: [],
  };
}

export function isClean({ lost, doubled, stuck, wrong, left }: Tally): boolean {
  return [lost, doubled, stuck, wrong, left].every((list) => list.length === 0);
}

export function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** @param end undefined: it did not end */
export function tallyEnd(tally: Tally, where: string, end: End | undefined): void {
  tally.queries += 1;
  if (end === undefined) {
    tally.stuck.push(where);
    return;
  }
  const { kind, detail, queryId } = end;
  const line = `${where} ${queryId}: ${kind} ${detail}`;
  if (kind === "right") tally.right += 1;
  else if (kind === "WRONG") tally.wrong.push(line);
  else if (/deadline/.test(detail)) tally.lost.push(line);
  else count(tally.named, kind);
}

/** All replies that came, repeated ones too. */
export function tallyReplies(tally: Tally, replies: readonly Reply[]): void {
  const byId = new Map<string, Reply[]>();
  for (const reply of replies) {
    if (reply.content?.$case !== "plan") byId.set(reply.id, [...(byId.get(reply.id) ?? []), reply]);
  }
  for (const [id, same] of byId) {
    tally.repeated += same.length - 1;
    const results = new Set(same.flatMap(contentOf));
    if (results.size > 1) tally.doubled.push(`${id}: ${results.size} different results`);
    if (results.size > 0 && same.some(({ content }) => content?.$case !== "result")) tally.contradicted += 1;
  }
}

/** Of a result: what tells it from another, wherever its table lies. */
function contentOf({ content }: Reply): string[] {
  if (content?.$case !== "result") return [];
  const { document, table } = content.value;
  const bytes = document?.body ?? table?.transfer?.sha256 ?? table?.arrowIpc ?? Buffer.alloc(0);
  return [createHash("sha256").update(bytes).digest("hex")];
}
