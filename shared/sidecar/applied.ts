/** Whom a change has reached: at whose sidecars nothing goes on that it does not allow. */
import { partyOfOnline } from "#domain/knowledge-keys";
import type { Clock } from "#ports/clock";
import type { KnowledgeCache } from "./knowledge-cache.ts";

export interface Applied {
  /** Parties all of whose sidecars carry it out, sorted. */
  readonly applied: readonly string[];
  /** Parties that have not said so in time, sorted. */
  readonly waiting: readonly string[];
}

export async function appliedBy(
  cache: KnowledgeCache,
  clock: Clock,
  revision: number,
  waitMs: number,
): Promise<Applied> {
  const isDone = () => cache.revision >= revision && look(cache, revision).waiting.length === 0;
  if (!isDone()) {
    await new Promise<void>((resolve) => {
      const stopTimer = clock.after(waitMs, end);
      const stopListening = cache.onChange(() => {
        if (isDone()) end();
      });
      function end(): void {
        stopTimer();
        stopListening();
        resolve();
      }
    });
  }
  return look(cache, revision);
}

function look(cache: KnowledgeCache, revision: number): Applied {
  const waiting = new Set<string>();
  const parties = new Set<string>();
  for (const [key, applied] of cache.sidecars()) {
    const party = partyOfOnline(key);
    parties.add(party);
    if (applied < revision) waiting.add(party);
  }
  const applied = [...parties].filter((party) => !waiting.has(party));
  return { applied: applied.sort(), waiting: [...waiting].sort() };
}
