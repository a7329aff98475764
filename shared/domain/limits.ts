/**
 * The limits of everything, by name and with a unit. What is an operator's to choose has
 * its default here and is read from the environment in the composition root's config.
 */
export const limits = {
  /** A query's whole time, when the request does not say, and at most. */
  queryTimeoutMsDefault: 30_000,
  queryTimeoutMsMax: 120_000,
  /** Body of a request to the orchestrator's API. */
  requestBodyBytesMax: 1_048_576,
  sqlCharsMax: 20_000,
  providersMax: 64,
  /** One table inside one envelope. */
  tableBytesMax: 64 * 1_048_576,
  tableRowsMax: 5_000_000,
  /** An envelope, outcome or reply on the wire: a table and what is around it. */
  messageBytesMax: 66 * 1_048_576,
  /** Deliveries of one message by back-off after failures of the `retry` kind. */
  triesMax: 4,
  retryFirstMs: 50,
  retryLongestMs: 2_000,
  /** Invocations of one function at once, when its annotation does not say. */
  concurrencyDefault: 4,
  /** Parts that one sidecar holds while their gathers are incomplete. */
  gatherPartsMax: 512,
  /** Kept from the deadline so that a failure reaches the asker before the asker gives up. */
  deadlineReserveMs: 150,
  /** How long a party counts as online after its sidecar went silent. */
  partyLeaseMs: 5_000,
  /** Answers of asynchronous queries kept by the orchestrator. */
  keptQueriesMax: 1_000,
  keptQueryMs: 600_000,
  keptQueryBytesMax: 256 * 1_048_576,
} as const;
