/** Time, so that tests can turn it. Twins: adapters/system, adapters/memory. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after `delayMs`; returns the way to prevent it. */
  after(delayMs: number, callback: () => void): () => void;
}
