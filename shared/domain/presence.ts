/** Who is there, and with which load: as the sidecars that hold their lease say. */
import type { Party } from "#contracts";
import { meanLoads } from "./load.ts";

export interface PresentSidecar {
  readonly party: string;
  /** 0 to 1; undefined: it does not say. */
  readonly load: number | undefined;
}

export function withPresence(parties: readonly Party[], sidecars: readonly PresentSidecar[]): Party[] {
  const here = new Set(sidecars.map(({ party }) => party));
  const loads = meanLoads(sidecars);
  return parties.map((party) => {
    const load = loads.get(party.name);
    return { ...party, online: here.has(party.name), ...(load === undefined ? {} : { load }) };
  });
}
