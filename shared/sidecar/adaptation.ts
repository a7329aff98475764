/**
 * Keeps running queries in step with what is agreed: monitor, analyse, plan, execute over the knowledge base
 * (MAPE-K: Kephart and Chess, "The Vision of Autonomic Computing", 2003). It runs beside those who ask. That nothing
 * leaves a party after a change is not its work but that of each party's own sidecar (enforcement.ts).
 */
import { type Knowledge as Attached, type Envelope, ErrorCode, type Plan } from "#contracts";
import { analyse } from "#domain/analyse";
import { keys, partyOfOnline } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { DynamosError, toDynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Log } from "#ports/log";
import { anyKey, decides, type KnowledgeCache } from "./knowledge-cache.ts";
import type { Waiter } from "./waiter.ts";

export interface AdaptationOptions {
  readonly cache: KnowledgeCache;
  readonly clock: Clock;
  readonly log: Log;
  /** The queries that run. */
  readonly running: () => Iterable<Waiter>;
  readonly publish: (envelope: Envelope) => Promise<void>;
  readonly cancel: (queryId: string, upToAttempt: number) => Promise<void>;
  /** Replies that nobody will get. */
  readonly dropRest: (waiter: Waiter) => void;
}

export interface Adaptation {
  /** A plan is there: it may have been made on what is no longer agreed. */
  planned(waiter: Waiter): void;
  /** A party has stopped a chain of it: that party may know more than is known here. */
  revoked(waiter: Waiter): void;
  /** Looks at what has changed so far; resolves when what must be planned again has been sent on. */
  keepUp(): Promise<void>;
  /** Waits for nobody's return any more. */
  stop(): void;
}

export function createAdaptation(options: AdaptationOptions): Adaptation {
  const { cache, clock, log, running } = options;
  const changed = new Set<string>();
  let isScheduled = false;
  const executing = new Set<Promise<void>>();
  const presence = createPresence(cache, clock, () => monitor(anyKey));

  function monitor(key: string): void {
    const isPresence = key.startsWith(keys.online);
    // A load is said under the same key, and plans nothing again.
    if (isPresence ? !presence.look() : !decides(key)) return;
    changed.add(key);
    if (isScheduled) return;
    isScheduled = true;
    // Many changes in a row are looked at together.
    clock.after(limits.analysisPauseMs, () => {
      isScheduled = false;
      adaptAll();
    });
  }

  function adaptAll(): void {
    const seen = [...changed];
    changed.clear();
    for (const waiter of [...running()]) if (seen.some((each) => concerns(each, waiter))) adapt(waiter);
  }

  function adapt(waiter: Waiter): void {
    const { plan } = waiter;
    const { query } = waiter.asked;
    // Without a plan yet, what is planned will be by what is known then.
    if (plan === undefined || query === undefined || waiter.isOver) return;
    const knowledge = cache.about(query.providers, query.user?.name ?? "");
    const why = analyse(query, plan, presence.withGrace(knowledge, plan), clock.now());
    if (why !== undefined) start(waiter, why);
  }

  function start(waiter: Waiter, why: string): void {
    const execution = execute(waiter, why).finally(() => executing.delete(execution));
    executing.add(execution);
  }

  /** The plan is made by the same functions as the first one, under the next attempt. */
  async function execute(waiter: Waiter, why: string): Promise<void> {
    const { queryId, deadlineMs } = waiter.asked;
    if (waiter.isOver || clock.now() + limits.deadlineReserveMs >= deadlineMs) return;
    if (waiter.attempt >= limits.attemptsMax) {
      waiter.fail(
        new DynamosError(ErrorCode.REVOKED, `planned ${limits.attemptsMax} times, and changed again: ${why}`),
      );
      return;
    }
    options.dropRest(waiter);
    const { attempt } = waiter;
    log.log("info", "a query is planned again", { queryId, attempt, why });
    try {
      await options.cancel(queryId, attempt - 1);
      await options.publish({ ...waiter.asked, attempt });
    } catch (error) {
      waiter.fail(toDynamosError(error));
    }
  }

  cache.onChange(monitor);
  return {
    planned: adapt,
    revoked: (waiter) => {
      const { attempt } = waiter;
      // What that party knows comes here too; the more often it was not enough, the longer it is given.
      clock.after(limits.replanFirstMs * 2 ** (attempt - 1), () => {
        if (waiter.attempt === attempt) start(waiter, "a party has stopped it");
      });
    },
    stop: presence.stop,
    keepUp: async () => {
      adaptAll();
      await Promise.all(executing);
    },
  };
}

function concerns(key: string, { asked }: Waiter): boolean {
  if (!key.startsWith(keys.agreements)) return true;
  return asked.query?.providers.includes(key.slice(keys.agreements.length)) ?? false;
}

/** A party whose sidecar is started anew is not gone: only what stays away is. */
function createPresence(cache: KnowledgeCache, clock: Clock, changed: () => void) {
  const goneAtMs = new Map<string, number>();
  const waits = new Set<() => void>();
  let isStopped = false;
  let here = partiesHere();

  function partiesHere(): Set<string> {
    return new Set([...cache.sidecars().keys()].map(partyOfOnline));
  }

  return {
    /** @returns whether others are here than at the last look */
    look: (): boolean => {
      const now = partiesHere();
      for (const party of here) {
        if (now.has(party)) continue;
        goneAtMs.set(party, clock.now());
        // Others leave after this one where all stop together.
        if (isStopped) continue;
        const forget = clock.after(limits.partyGoneMs, () => {
          waits.delete(forget);
          changed();
        });
        waits.add(forget);
      }
      for (const party of now) goneAtMs.delete(party);
      const isChanged = now.size !== here.size || [...now].some((party) => !here.has(party));
      here = now;
      return isChanged;
    },
    stop: () => {
      isStopped = true;
      for (const forget of waits) forget();
      waits.clear();
    },
    /** Those who work on the plan count as there as long as they may come back; others only when they are. */
    withGrace: (knowledge: Attached, { chains }: Plan): Attached => ({
      ...knowledge,
      parties: knowledge.parties.map((party) => {
        const goneAt = goneAtMs.get(party.name);
        const mayComeBack = goneAt !== undefined && clock.now() - goneAt < limits.partyGoneMs;
        return mayComeBack && chains.some((chain) => chain.party === party.name) ? { ...party, online: true } : party;
      }),
    }),
  };
}
