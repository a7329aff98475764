/** Says that this party's sidecar is here, for as long as it is. */
import { appliedKey, onlineKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import type { Clock } from "#ports/clock";
import type { Knowledge } from "#ports/knowledge";

export interface Presence {
  /** Says up to which revision this sidecar carries out what is agreed. */
  applied(revision: number): Promise<void>;
  /** Its keys go at once instead of after the lease. */
  leave(): Promise<void>;
}

export async function announce(knowledge: Knowledge, party: string, instance: string, clock: Clock): Promise<Presence> {
  const lease = await knowledge.grant(limits.partyLeaseMs);
  await knowledge.put(onlineKey(party, instance), JSON.stringify({ party, instance, sinceMs: clock.now() }), { lease });
  return {
    applied: async (revision) => {
      await knowledge.put(appliedKey(party, instance), JSON.stringify(revision), { lease });
    },
    leave: () => lease.end(),
  };
}
