/** Bytes too many for a message, in ordered chunks beside them. Twins: adapters/memory, adapters/amqp; both pass testing/transfers-contract.ts. */

export interface TransferTarget {
  /** Parties, as in the route of the message that will refer to it. */
  readonly from: string;
  readonly to: string;
  /** Of its name, for who is to find it by that; absent: one that nobody else has. */
  readonly id?: string;
  /** The transfer is gone this long after its last use, whoever died meanwhile. */
  readonly expiresInMs: number;
}

export interface TransferWriter {
  /** For the message that refers to it. */
  readonly name: string;
  /** Resolves when there is room for the next one. @throws DynamosError BROKER_UNAVAILABLE, BODY_TOO_LARGE */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves when the broker has taken responsibility for all chunks. @throws DynamosError BROKER_UNAVAILABLE */
  end(): Promise<void>;
}

export interface Transfers {
  /** A new one, which nobody else writes to. @throws DynamosError BROKER_UNAVAILABLE */
  open(target: TransferTarget): Promise<TransferWriter>;
  /**
   * From the first chunk on, each time; one reader at a time. Ends when no chunk is left, so the
   * caller counts. Reads ahead no more than a few chunks.
   * @throws DynamosError TRANSFER_LOST (there is none of this name), BROKER_UNAVAILABLE
   */
  read(name: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Somebody still wants it: a use, as reading is. @throws DynamosError TRANSFER_LOST, BROKER_UNAVAILABLE */
  renew(name: string): Promise<void>;
  /** Idempotent. */
  drop(name: string): Promise<void>;
}
