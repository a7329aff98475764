/** The load of parties: the share of their capacity that is in hand. It chooses only among what is allowed. */
import type { Knowledge } from "#contracts";
import { limits } from "./limits.ts";

/** @returns 0 to 1; undefined: not known */
export function loadOf(party: string, { parties }: Pick<Knowledge, "parties">): number | undefined {
  return parties.find(({ name }) => name === party)?.load;
}

/** Of whom nothing is known has room: who says nothing must not change what runs. */
export function isBusy(load: number | undefined): boolean {
  return load !== undefined && load >= limits.busyLoadShare;
}

/** `UVA is at 92 % of its capacity`. Rounded down, so that what counts as below 80 % never reads as 80 %. */
export function loadInWords(party: string, load: number | undefined): string {
  return load === undefined ? `the load of ${party} is not known` : `${party} is at ${percent(load)} % of its capacity`;
}

function percent(load: number): number {
  // 0.29 * 100 is a little less than 29.
  return Math.floor(load * 100 + 1e-9);
}

/** @param loads of each sidecar that is online; undefined: it does not say. @returns of each party, the mean of those that say */
export function meanLoads(
  loads: Iterable<{ readonly party: string; readonly load: number | undefined }>,
): Map<string, number> {
  const said = new Map<string, number[]>();
  for (const { party, load } of loads) {
    if (load !== undefined) said.set(party, [...(said.get(party) ?? []), load]);
  }
  const mean = (all: readonly number[]) => all.reduce((sum, load) => sum + load, 0) / all.length;
  return new Map([...said].map(([party, all]) => [party, mean(all)]));
}

/** @param json value of an online key. @returns what it says, where it says what can be */
export function loadSaid(json: unknown): number | undefined {
  const load: unknown = typeof json === "object" && json !== null && "load" in json ? json.load : undefined;
  return typeof load === "number" && load >= 0 && load <= 1 ? load : undefined;
}
