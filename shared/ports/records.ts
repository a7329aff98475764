/** A party's audit record: one chain for each sidecar. Twins: adapters/file, adapters/memory; both pass testing/records-contract.ts. */
import type { ChainPlace, Head } from "#domain/audit/chain";
import type { AuditRecord } from "#domain/audit/record";

export interface Records {
  readonly place: ChainPlace;
  /**
   * Resolves when all of them are durable, in this order and one after the other. Rejected, none of them need be there.
   * @throws DynamosError RECORD_UNAVAILABLE
   */
  append(records: readonly AuditRecord[]): Promise<void>;
  /** The lines of this chain from this number on, as far as they are durable when it is called. @throws DynamosError RECORD_UNAVAILABLE */
  read(fromSeq: number): AsyncIterable<string>;
  /** Of what is durable. */
  head(): Head;
  /** What was appended by then is durable or rejected; lets the chain go. */
  close(): Promise<void>;
}
