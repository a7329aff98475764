import { setTimeout } from "node:timers/promises";

/** @returns what it resolves to, or undefined when that takes longer; it goes on then. @throws what it rejects with */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const patience = new AbortController();
  const late = setTimeout(ms, undefined, { signal: patience.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    patience.abort();
  }
}
