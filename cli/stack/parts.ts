/** One organisation's part of a stack, and the flags with which faas-cli takes exactly that. */
import { partiesOf, partyOf } from "./parties.ts";
import type { Stack } from "./read-stack.ts";
import { type Selection, selectNames } from "./select-functions.ts";

export interface Part {
  readonly party: string;
  readonly selection: Selection;
  /** In the file's order. */
  readonly functions: readonly string[];
}

/** By party. A wildcard where the names allow it, else the names themselves. */
export function partsOf(stack: Stack): Part[] {
  const names = stack.functions.map(({ name }) => name);
  return partiesOf(stack).map((party) => {
    const functions = stack.functions.filter((fn) => partyOf(fn) === party).map(({ name }) => name);
    const wildcard = { filter: `${party.toLowerCase()}-*` };
    const selection = choosesExactly(names, wildcard, functions) ? wildcard : { regex: `^(${functions.join("|")})$` };
    return { party, selection, functions };
  });
}

function choosesExactly(names: readonly string[], selection: Selection, wanted: readonly string[]): boolean {
  try {
    return selectNames(names, selection).join() === wanted.join();
  } catch {
    return false;
  }
}

/** As typed: `--filter "uva-*"`. */
export function flagsOf({ filter, regex }: Selection): string {
  return filter === undefined ? `--regex "${regex}"` : `--filter "${filter}"`;
}
