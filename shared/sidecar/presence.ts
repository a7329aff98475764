/** Says that this party's sidecar is here, for as long as it is. */
import { onlineKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import type { Clock } from "#ports/clock";
import type { Knowledge } from "#ports/knowledge";

/** @returns the way to leave: the key goes at once instead of after the lease */
export async function announce(
  knowledge: Knowledge,
  party: string,
  instance: string,
  clock: Clock,
): Promise<() => Promise<void>> {
  const lease = await knowledge.grant(limits.partyLeaseMs);
  await knowledge.put(onlineKey(party, instance), JSON.stringify({ party, instance, sinceMs: clock.now() }), { lease });
  return () => lease.end();
}
