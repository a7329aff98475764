/**
 * A steward who changes an agreement all the time, and looks after each change whether it has effect: a visitor may
 * ask, then may not, then may. What the others may is left as it is.
 */
import { setTimeout as wait } from "node:timers/promises";
import { type Called, callOrchestrator, type Orchestrator } from "../../../cli/commands/call-orchestrator.ts";

export interface ChangesOptions {
  readonly steward: Orchestrator;
  readonly visitor: Orchestrator & { readonly user: string };
  readonly pauseMs: number;
}

export interface ChangesTally {
  /** Revisions of the agreement, as each PUT was answered. */
  readonly acknowledged: number[];
  /** Not acknowledged, and put again. */
  readonly putAgain: string[];
  /** Answered while a party had not yet said that it carries the change out. */
  readonly waitedFor: string[];
  /** Acknowledged by the party, and the visitor's query went as before. */
  readonly withoutEffect: string[];
  slowestMs: number;
}

export interface Changes {
  readonly tally: ChangesTally;
  /** Makes no more; resolves when the last one was looked at. */
  end(): Promise<ChangesTally>;
}

export const changedParty = "UVA";
const path = `agreements/${changedParty}`;
const query = {
  providers: [changedParty],
  sql: "SELECT p.Geslacht, s.Salschal FROM Personen p JOIN Aanstellingen s USING (Unieknr, Peildat)",
  algorithm: "average",
  timeoutMs: 60_000,
};
const putMsMax = 60_000;
const againAfterMs = 200;
/** For a party that had not said so yet: more than any member of etcd is away. */
const effectMsMax = 60_000;

export function startChanges({ steward, visitor, pauseMs }: ChangesOptions): Changes {
  const tally: ChangesTally = { acknowledged: [], putAgain: [], waitedFor: [], withoutEffect: [], slowestMs: 0 };
  let isOver = false;

  async function change(isAllowed: boolean): Promise<void> {
    const startedAt = performance.now();
    const put = await putUntilAcknowledged(steward, visitor.user, isAllowed, tally);
    tally.slowestMs = Math.max(tally.slowestMs, Math.round(performance.now() - startedAt));
    tally.acknowledged.push(Number(/\d+/.exec(put.headers.get("etag") ?? "")?.[0]));
    const applied = (put.headers.get("dynamos-applied") ?? "").split(", ");
    const isApplied = ["exchange", changedParty].every((party) => applied.includes(party));
    const line = `${new Date().toISOString()} to ${isAllowed ? "allowed" : "denied"}: applied ${applied.join()}`;
    if (!isApplied) tally.waitedFor.push(line);
    const untilMs = performance.now() + (isApplied ? 0 : effectMsMax);
    for (;;) {
      const { status, body } = await callOrchestrator(visitor, "POST", "queries", { body: query });
      if (isAllowed ? status === 200 : body.code === "DENIED") return;
      if (performance.now() < untilMs) await wait(againAfterMs);
      else return void tally.withoutEffect.push(`${line}, and the visitor got ${status} ${String(body.code)}`);
    }
  }

  async function go(): Promise<void> {
    for (let count = 0; !isOver; count++) {
      await change(count % 2 === 0).catch((error: unknown) => tally.withoutEffect.push(String(error)));
      await wait(pauseMs);
    }
  }

  const going = go();
  return {
    tally,
    end: async () => {
      isOver = true;
      await going;
      return tally;
    },
  };
}

async function putUntilAcknowledged(
  steward: Orchestrator,
  user: string,
  isAllowed: boolean,
  tally: ChangesTally,
): Promise<Called> {
  const untilMs = performance.now() + putMsMax;
  for (;;) {
    const put = await putOnce(steward, user, isAllowed);
    if (put.status === 200) return put;
    const line = `${new Date().toISOString()} ${put.status} ${JSON.stringify(put.body).slice(0, 300)}`;
    tally.putAgain.push(line);
    if (performance.now() > untilMs) throw new Error(`the agreement can't be changed: ${line}`);
    await wait(againAfterMs);
  }
}

async function putOnce(steward: Orchestrator, user: string, isAllowed: boolean): Promise<Called> {
  const read = await callOrchestrator(steward, "GET", path);
  if (read.status !== 200) return read;
  const {
    revision: _,
    relations,
    ...agreement
  } = read.body as { revision?: number; relations: Record<string, object> };
  const { [user]: __, ...others } = relations;
  const [like] = Object.values(others);
  return callOrchestrator(steward, "PUT", path, {
    body: { ...agreement, relations: isAllowed ? { ...others, [user]: like } : others },
    headers: { "if-match": read.headers.get("etag") ?? "" },
  });
}

/** @returns those that the agreement's history does not have any more */
export async function forgotten(steward: Orchestrator, acknowledged: readonly number[]): Promise<number[]> {
  const kept = new Set<number>();
  for (let before = ""; ; ) {
    const { status, body } = await callOrchestrator(steward, "GET", `${path}/history?limit=100${before}`);
    if (status !== 200) throw new Error(`the history can't be read: ${status} ${JSON.stringify(body)}`);
    for (const { revision } of body.changes as { revision: number }[]) kept.add(revision);
    if (body.next === undefined) break;
    before = `&before=${body.next}`;
  }
  return acknowledged.filter((revision) => !kept.has(revision));
}
