/** Signatures that were found to hold: what is signed never changes, so they need not be computed again. */
import type { KeyObject } from "node:crypto";

export interface VerifiedSignatures {
  /** @returns whether it holds: as found before for this very text and key, or by `verify` */
  holds(jws: string, key: KeyObject, verify: () => boolean): boolean;
}

/**
 * Remembers nothing but that a text was signed with a key: who may still ask for what, and until when, is looked at
 * each time. A signature that does not hold is not remembered, so that nobody can fill this with forgeries.
 *
 * @param max texts at once; those that were not asked for the longest go
 */
export function createVerifiedSignatures(max: number): VerifiedSignatures {
  /** The whole JWS, payload and all, to the key under which it holds. The least recently asked for first. */
  const held = new Map<string, KeyObject>();
  return {
    holds: (jws, key, verify) => {
      const isHeld = held.get(jws) === key || verify();
      held.delete(jws);
      if (!isHeld) return false;
      held.set(jws, key);
      const [oldest] = held.keys();
      if (held.size > max && oldest !== undefined) held.delete(oldest);
      return true;
    },
  };
}

/** For who looks once. */
export const computedEachTime: VerifiedSignatures = { holds: (_, __, verify) => verify() };
