/** Says that this party's sidecar is here, for as long as it is. */
import { appliedKey, onlineKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import type { Clock } from "#ports/clock";
import type { Knowledge } from "#ports/knowledge";

export interface Presence {
  /** Says up to which revision this sidecar carries out what is agreed. */
  applied(revision: number): Promise<void>;
  /** Says how much of what the party can do is in hand here, 0 to 1. */
  loaded(load: number): Promise<void>;
  /** Whether others wait for this sidecar before they say that a change is carried out. @param revision known here */
  isSaid(revision: number): boolean;
  /** Its keys go at once instead of after the lease. */
  leave(): Promise<void>;
}

export async function announce(knowledge: Knowledge, party: string, instance: string, clock: Clock): Promise<Presence> {
  const lease = await knowledge.grant(limits.partyLeaseMs);
  const sinceMs = clock.now();
  const loaded = async (load: number) => {
    await knowledge.put(onlineKey(party, instance), JSON.stringify({ party, instance, sinceMs, load }), { lease });
  };
  await loaded(0);
  return {
    loaded,
    applied: async (revision) => {
      await knowledge.put(appliedKey(party, instance), JSON.stringify(revision), { lease });
    },
    isSaid: (revision) => lease.isHeld(revision),
    leave: () => lease.end(),
  };
}
