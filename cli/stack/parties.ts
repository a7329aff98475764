/** The parties and queues that a stack's functions stand for. */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readStack, type Stack, type StackFunction } from "./read-stack.ts";

/** Of the checkout: where stack.yml and build/ are. */
export const home = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export const exchangeParty = "exchange";

export function partyOf(fn: StackFunction): string {
  return fn.annotations["com.dynamos.party"] ?? exchangeParty;
}

export function partiesOf(stack: Stack): string[] {
  return [...new Set(stack.functions.map(partyOf))].sort();
}

/** @param file absent: the project's */
export async function partiesOfStack(file = join(home, "stack.yml")): Promise<string[]> {
  return partiesOf(await readStack(file));
}
