/** One system that goes through many runs, one after the other; several lanes share a broker. */
import { setTimeout as wait } from "node:timers/promises";
import { type Asked, askMadeUp, type End } from "../mortal/ask-made-up.ts";
import type { Crash, Point } from "../mortal/life.ts";
import type { Links } from "../mortal/links.ts";
import { type MortalWorld, openMortalWorld } from "../mortal/world.ts";
import type { Kill, Run } from "./plan.ts";
import { count, type Tally, tallyEnd, tallyReplies } from "./tally.ts";

/** Sidecars of each party; where there are two, one takes over at once. */
const sidecarsOf: Readonly<Record<string, number>> = { exchange: 1, UVA: 2, VU: 1, SURF: 2 };
const graceMs = 5_000;
const slowForMs = 300;
const startAgainMs = 200;
const idleMsMax = 30_000;

type SidecarKill = Extract<Kill, { kind: "sidecar" }>;
type WorkerKill = Extract<Kill, { kind: "worker" }>;

export interface Lane {
  run(run: Run): Promise<void>;
  close(): Promise<void>;
}

export interface LaneOptions {
  readonly links: Links;
  readonly tally: Tally;
  /** Of each query: enough for what was killed to be back, since what ends by time alone counts as lost. */
  readonly queryMs: number;
}

export async function openLane({ links, tally, queryMs }: LaneOptions): Promise<Lane> {
  const armed = new Map<SidecarKill | WorkerKill, number>();
  /** Restarts under way. */
  const coming = new Set<Promise<void>>();
  let isOpen = true;

  function fires(kill: SidecarKill | WorkerKill): boolean {
    const left = (armed.get(kill) ?? 1) - 1;
    armed.set(kill, left);
    if (left > 0) return false;
    armed.delete(kill);
    count(tally.kills, kill.kind === "sidecar" ? `sidecar ${kill.gap}` : `worker ${kill.how}`);
    return true;
  }

  function dies({ gap }: Point, party: string): boolean {
    for (const kill of armed.keys()) {
      if (kill.kind !== "sidecar" || kill.party !== party || kill.gap !== gap || !fires(kill)) continue;
      background(startAfter(party, kill.backMs));
      return true;
    }
    return false;
  }

  function crashes(name: string): Crash | undefined {
    for (const kill of armed.keys()) {
      if (kill.kind === "worker" && name.startsWith(`${kill.party.toLowerCase()}-`) && fires(kill)) return kill.how;
    }
    return undefined;
  }

  function background(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => coming.delete(tracked));
    coming.add(tracked);
  }

  /** The broker may be away, and what starts may be killed at once: then again. */
  async function startAfter(party: string, backMs: number): Promise<void> {
    await wait(backMs);
    while (isOpen && world.alive(party).length < (sidecarsOf[party] ?? 1)) {
      try {
        await world.start(party);
      } catch {
        await wait(startAgainMs);
      }
    }
  }

  const world: MortalWorld = await openMortalWorld({ links, dies, crashes });
  for (const [party, sidecars] of Object.entries(sidecarsOf)) {
    for (let i = 0; i < sidecars; i++) await world.start(party);
  }

  async function disturb(kill: Exclude<Kill, SidecarKill | WorkerKill>): Promise<void> {
    if (kill.kind === "process") return;
    await wait(kill.afterMs);
    const whose = kill.party === "asker" ? world.asker : world.alive(kill.party)[0];
    const proxy = whose?.link.proxy;
    if (proxy === undefined) return;
    count(tally.kills, kill.party === "asker" ? `${kill.kind}, the asker's` : kill.kind);
    if (kill.kind === "cut") {
      proxy.cut();
      await wait(kill.downMs);
      if (!whose?.life.isOver) proxy.heal();
    } else if (kill.kind === "slow") {
      proxy.delay(kill.byMs);
      await wait(slowForMs);
      proxy.delay(0);
    } else {
      proxy.abandon();
    }
  }

  async function run({ index, queries, kills }: Run): Promise<void> {
    for (const kill of kills) {
      if (kill.kind === "sidecar" || kill.kind === "worker") armed.set(kill, kill.nth);
      else background(disturb(kill));
    }
    const ends = await Promise.all(queries.map((asked) => endOf(world, asked, queryMs)));
    armed.clear();
    for (const end of ends) tallyEnd(tally, `run ${index}`, end);
    tally.runs += 1;
    while (coming.size > 0) await Promise.all(coming);
  }

  async function close(): Promise<void> {
    for (let leftMs = idleMsMax; leftMs > 0 && !world.isIdle(); leftMs -= startAgainMs) await wait(startAgainMs);
    if (!world.isIdle()) tally.left.push("a sidecar that still has something in hand");
    isOpen = false;
    await world.close();
    tallyReplies(tally, world.replies);
  }

  return { run, close };
}

/** @returns undefined when it has not ended in good time after its deadline */
export async function endOf(
  world: Pick<MortalWorld, "asker" | "knowledge">,
  asked: Asked,
  queryMs: number,
): Promise<End | undefined> {
  const patience = new AbortController();
  const late = wait(queryMs + graceMs, undefined, { signal: patience.signal }).catch(() => undefined);
  try {
    return await Promise.race([askMadeUp(world, asked, queryMs), late]);
  } finally {
    patience.abort();
  }
}
