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
  /** Of one that brings an agreement: ten thousand relations are some megabytes. */
  agreementBytesMax: 16 * 1_048_576,
  /** Versions of one document that are kept, in number and in bytes; the oldest go. */
  historyKeptMax: 1_000,
  historyKeptBytesMax: 32 * 1_048_576,
  /** Versions on one page, when the request does not say, and at most; differences of one version. */
  historyPageDefault: 20,
  historyPageMax: 100,
  differencesMax: 1_000,
  /** Ways to make a request run that an explanation names. */
  planRemediesMax: 5,
  /** Requests that are compared under two agreements, and before others have their turn. */
  diffRequestsMax: 10_000,
  diffRequestsPerTurn: 50,
  sqlCharsMax: 20_000,
  /** How deep expressions may be nested, how many columns a part of a query may have, and how large it may grow when it is rewritten. */
  sqlDepthMax: 500,
  sqlColumnsMax: 4_096,
  sqlNodesMax: 50_000,
  /** Rows of a group that is no single row in disguise: the least where aggregates alone are allowed. */
  aggregatedRowsMin: 2,
  /** Of one table's row filter. */
  rowFilterCharsMax: 4_000,
  /** What is said to be wrong with the steps that an agreement demands, so that nonsense is not answered with more of it. */
  demandedStepProblemsMax: 20,
  /** How long a change of an agreement waits for the look at its row filters. */
  agreementCheckMsMax: 8_000,
  providersMax: 64,
  /** Third parties tried for one group when a query is split by steward. */
  splitCandidatesMax: 8,
  /** A table up to this size is inside its envelope, a larger one is a transfer beside it. */
  inlineBytesMax: 256 * 1_024,
  /** One table, as a whole: what one query may move. */
  transferBytesMax: 4_096 * 1_048_576,
  /** The head of a table, which is sent before the rest is made: rows, and about so many bytes. */
  headRows: 256,
  headBytes: 64 * 1_024,
  tableRowsMax: 50_000_000,
  /** A PostgreSQL: until it is connected, until a lock is had, how often it looks whether its asker is still there, and until it has closed. */
  postgresConnectMsMax: 5_000,
  postgresLockMsMax: 2_000,
  postgresCheckMs: 1_000,
  postgresCloseMsMax: 1_000,
  /** Of one of its tables, and of what of it is taken in at a time. */
  postgresBytesMax: 8_192 * 1_048_576,
  postgresBlockBytes: 4 * 1_048_576,
  /** A table that a step must hold whole, such as one that is drawn. */
  tableBytesMax: 64 * 1_048_576,
  /** A table that stays in a process for the next step of its chain, where steps are fused; a larger one leaves as ever. */
  fusedBytesMax: 16 * 1_048_576,
  /** Of one message of a transfer, and how many of them are on their way to the broker at once. */
  transferChunkBytesMax: 256 * 1_024,
  transferAheadMax: 8,
  /** How long a transfer outlives its query's deadline when nobody could drop it. */
  transferGraceMs: 5_000,
  /** How much longer an answer's does since it was last renewed, and how often whoever keeps it renews it. */
  transferUnrenewedMs: 90_000,
  transferRenewMs: 25_000,
  /** How long its reader waits for a node of the broker that is restarted, and how often it looks. */
  transferAwayMsMax: 90_000,
  transferAwayPollMs: 250,
  /** An envelope, outcome or reply on the wire: a table and what is around it. */
  messageBytesMax: 66 * 1_048_576,
  /** What is held in memory of an answer before it begins: of a step's, of which a file holds the rest, and of records, which begin without a length then. */
  answerHeldBytesMax: 1_048_576,
  /** How long nothing may come of a request that is not needed any more before it is answered all the same. */
  readOnQuietMs: 5_000,
  /** Deliveries of one message by back-off after failures of the `retry` kind. */
  triesMax: 4,
  retryFirstMs: 50,
  retryLongestMs: 2_000,
  /** Invocations of one function at once, when its annotation does not say. */
  concurrencyDefault: 4,
  /** What one queue holds before it takes no more: the publisher is told, and the asker gets 503. */
  queueMessagesMax: 10_000,
  queueBytesMax: 512 * 1_048_576,
  /** How long a queue of one instance waits for it to come back. */
  privateQueueMs: 30_000,
  /** Dead letters of one party; the oldest go. */
  deadLettersMax: 10_000,
  deadLetterBytesMax: 256 * 1_048_576,
  /** How often a message may be in the hands of a consumer that dies before it is put aside. */
  redeliveriesMax: 10,
  /** Tries that a message remembers. */
  historyMax: 20,
  /** How long a publish waits for a lost broker connection, and then for the broker's confirm. */
  brokerWaitMsMax: 5_000,
  brokerConfirmMsMax: 10_000,
  /** How long a call of a function waits for a sidecar that is started anew. */
  sidecarWaitMsMax: 5_000,
  /** Parts that one sidecar holds while their gathers are incomplete. */
  gatherPartsMax: 512,
  /** Ids of messages that one sidecar remembers as carried out. */
  handledIdsMax: 50_000,
  /** Before a gather that could not be handed on is tried again. */
  gatherRetryMs: 200,
  /** Kept from the deadline so that a failure reaches the asker before the asker gives up. */
  deadlineReserveMs: 150,
  /** Changes that come within this are looked at together. */
  analysisPauseMs: 5,
  /** Of one query: so often it may be planned again because what is agreed changes. */
  attemptsMax: 10,
  /** After a party stopped a chain, before it is planned again; doubling. */
  replanFirstMs: 5,
  /** A party whose last sidecar left is waited for, for this long, before running queries are planned without it. */
  partyGoneMs: 3_000,
  /** Before a lost watch of the knowledge base is opened again, and a failed write to it tried again. */
  knowledgeRetryMs: 200,
  /** What fails again and again is said in the log at most so often. */
  repeatedLogMs: 30_000,
  /**
   * etcd: one try of a call, and all its tries, which end before whoever asked over gRPC gives up (5 s). Large bodies
   * get more: so many bytes are expected to pass in a millisecond.
   */
  etcdTryMsMax: 2_000,
  etcdCallMsMax: 4_500,
  etcdBytesPerMs: 10_000,
  etcdRetryFirstMs: 20,
  etcdRetryLongestMs: 500,
  /** One answer, or one message of a watch: base64 in JSON. */
  etcdAnswerBytesMax: 256 * 1_048_576,
  /** Keys on one page of a listing. */
  etcdPageKeys: 500,
  /** Requests to one endpoint at once, watches apart, and writes of one process. */
  etcdSocketsMax: 32,
  etcdWritesAtOnceMax: 32,
  /** A watch is opened anew so often, as a connection whose other side is gone says nothing. */
  etcdWatchRenewMs: 5_000,
  /** Changes, and characters of them, that wait for a watch's reader; a slower one must list again. */
  etcdUnreadMax: 10_000,
  etcdUnreadCharsMax: 128 * 1_048_576,
  /** How long what tells a repeated write is kept, and for how long of that it is used. */
  etcdMarksMs: 600_000,
  etcdMarksUsedMs: 300_000,
  /** Certificates are read again so often. */
  etcdTlsFilesMs: 10_000,
  /** Documents, and characters of them, that a fresh knowledge base gets at once; tries when others do the same. */
  seedDocumentsAtOnce: 100,
  seedCharsAtOnce: 500_000,
  seedTriesMax: 100,
  /** A job that nobody uses for so long ends, when it does not say; and at most. */
  jobLeaseMsDefault: 600_000,
  jobLeaseMsMax: 86_400_000,
  jobsPerSubjectMax: 100,
  /** How long an ended job can still be looked at, and how often jobs are looked through. */
  endedJobMs: 600_000,
  jobSweepMs: 1_000,
  /** Tries to count one query while others count too. */
  usageTriesMax: 100,
  /** How long a change of an agreement waits until every sidecar carries it out. */
  appliedWaitMsMax: 2_000,
  /** Share of its capacity from which a party is relieved where that is allowed. */
  busyLoadShare: 0.8,
  /** A party's load: averaged over about so long, said again at most so often, and only when it has changed by so much. */
  loadAverageMs: 2_000,
  loadSaidMs: 1_000,
  loadChangeMin: 0.1,
  /** How long a party counts as online after its sidecar went silent. */
  partyLeaseMs: 5_000,
  /** Dead letters that one command looks at. */
  deadLettersVisitedMax: 10_000,
  /** Of a lease that is held over gRPC. */
  leaseMsMax: 600_000,
  /** A body of the orchestrator's API; below `requestIdleMsMax`, so that a slow client reads why. */
  apiBodyMsMax: 9_000,
  /** A client that takes nothing of its answer for so long is gone. */
  answerStallMsMax: 60_000,
  /** Of a bearer token, and of the names in its claims. */
  tokenCharsMax: 8_192,
  tokenAgeSMax: 86_400,
  tokenRolesMax: 64,
  claimCharsMax: 320,
  /** How far clocks of issuer and orchestrator may be apart. */
  clockSkewSDefault: 60,
  clockSkewSMax: 300,
  /** Keys of the tokens' issuer: believed for so long, fetched so often for a key that is not known, tried again after. */
  tokenKeysMsMax: 600_000,
  tokenKeysCoolDownMs: 30_000,
  tokenKeysRetryMs: 1_000,
  tokenKeysFetchMsMax: 5_000,
  tokenKeysBytesMax: 262_144,
  /** Requests of one subject, as a burst too, and subjects that are remembered. */
  requestsPerMinuteDefault: 1_200,
  rateSubjectsMax: 10_000,
  /** Queries that one orchestrator has running; the next one is told to come back. */
  runningQueriesMax: 256,
  /** Requests whose body is still being read: they hold memory before it is known what they ask. Changes of documents are counted by themselves. */
  bodiesReadAtOnceMax: 256,
  /** So much of a body that is not wanted is read and thrown away before its sender is told: the largest body, and some more. */
  unwantedBodyBytesMax: 17 * 1_048_576,
  /** So many at once; whoever comes then is told at once. */
  unwantedBodiesAtOnceMax: 256,
  /** So many are taken whatever the pace, and so many while no pace is known. */
  runningQueriesFree: 8,
  runningQueriesUnmeasured: 24,
  /** Of a query's time: one more is taken when its answer is expected within this share. The pace may halve meanwhile. */
  admittedWaitShare: 0.5,
  retryAfterSMax: 30,
  /** Public keys of approvals: one, and the next while they change. */
  approvalKeysMax: 16,
  /** By how much a file system's times may be too coarse to tell two changes apart. */
  fileTimesMsMax: 2_000,
  /** Signatures of approvals that a sidecar need not compute again. */
  approvalsVerifiedMax: 1_000,
  /** Of a hop's id, where it is told to people. */
  hopIdCharsMax: 200,
  /** How far another machine's clock may be ahead. */
  approvalSkewMsMax: 30_000,
  /** Before the end of a drain, what still runs is cancelled and its askers told. */
  cancelBeforeCutMs: 500,
  /** How long an asker waits for the news of a cancel to be sent on. */
  cancelWaitMsMax: 250,
  /** Answers of asynchronous queries kept by the orchestrator. */
  keptQueriesMax: 1_000,
  keptQueryMs: 600_000,
  keptQueryBytesMax: 256 * 1_048_576,
  /** Of their tables that lie at the broker. */
  keptTransferBytesMax: 16_384 * 1_048_576,
  keptSweepMs: 10_000,
  /** Of one such answer, so that it outlives its orchestrator, and of reading it back. */
  archivedAnswerBytesMax: 32 * 1_048_576,
  archiveReadMsMax: 5_000,
  /** Others may be reading the same answer, and its bytes may have to be counted first. */
  turnWaitMsMax: 15_000,
  countWaitMsMax: 20_000,
  /** A function's door: workers that wait ready, callers that wait for one, and how long a drain may take. */
  poolSizeDefault: 2,
  poolSizeMax: 64,
  callersWaitingMax: 64,
  drainMsDefault: 10_000,
  /** Receiving a request: its head, the next bytes of its body, and all of it. Working on it may take longer. */
  requestHeadMsMax: 5_000,
  requestIdleMsMax: 10_000,
  requestMsMax: 120_000,
  /** Of one invocation, whatever its envelope says. */
  invocationMsMax: 120_000,
  /** Body of a request to a plain handler, when its settings do not say, and at most. */
  plainBodyBytesDefault: 1_048_576,
  plainBodyBytesMax: 64 * 1_048_576,
  /** One call of a plain handler: the watchdog's own default, and at most when the watchdog's limit is off. */
  plainExecMsDefault: 30_000,
  plainExecMsMax: 3_600_000,
  /** From the start of a worker to its saying ready. */
  workerStartMsMax: 15_000,
  workerStartsAtOnceMax: 2,
  /**
   * Children of one fork server share its address layout and hash seed; after so many another takes its place. How
   * often one may fail, in a row, before workers are spawned instead.
   */
  forksPerParentMax: 5_000,
  forkFailuresMax: 3,
  /** Where forking was given up because it took too long, it is tried again after this, then twice as long, … */
  forkRetryFirstMs: 60_000,
  forkRetriesMax: 5,
  forkConnectionsMax: 1_024,
  /** A fork server rehearses its steps no more when it has taken so long. */
  rehearsalsMs: 100,
  /** From a child's connection to its token. */
  forkGreetingMsMax: 2_000,
  /** A killed child that has not ended yet is asked for again after this. */
  forkReapRetryMs: 5,
  /** After a reply, before the worker is killed and replaced: keeps both off the reply's path. */
  workerRefillMs: 1,
  /** The same while at least half of the pool is ready. */
  workerRefillHeldBackMs: 150,
  workerRestartFirstMs: 100,
  workerRestartLongestMs: 5_000,
  /** Resident memory of one worker, and the part of it that is JavaScript heap. */
  workerMemoryMbDefault: 1_024,
  workerHeapShare: 0.5,
  workerMemoryPollMs: 20,
  /** What one worker may write to its standard output and error before the rest is dropped. */
  workerLogBytesMax: 16_384,
  /** One segment of an audit record's chain, and a name inside a record. */
  recordSegmentBytesMax: 64 * 1_048_576,
  recordNameCharsMax: 400,
  /** Appends that wait for the disk, and how long one may. */
  recordsWaitingMax: 10_000,
  recordWaitMsMax: 10_000,
  /** How often the holder of a chain says that it is there; one that was silent for so long has died. */
  recordLockBeatMs: 1_000,
  recordLockMs: 5_000,
  /** Before a change that could not be recorded is tried again. */
  recordRetryMs: 1_000,
  /** How long the changes of one revision may come apart. */
  recordGroupMs: 20,
  /** Documents that a start names, and problems that a verification does. */
  recordDocumentsMax: 1_000,
  recordProblemsMax: 100,
  /** Lines of a record that a verification holds back until the next ones show what they are. */
  recordsPendingMax: 1_000,
  /** A gateway's list of functions. */
  gatewayListMsMax: 5_000,
  gatewayListBytesMax: 4 * 1_048_576,
  /** A kept-alive connection to functions that no call uses. Go's servers close theirs after 60 s, without saying so before. */
  idleConnectionMsMax: 30_000,
  /** Groups of one algorithm. */
  groupsMax: 1_000_000,
  /** Bars, points and lines of a chart; the rest is counted in a note. */
  chartBarsMax: 40,
  chartPointsMax: 2_000,
  chartSeriesMax: 8,
  /** Of all data files that one query's data sets name: more are not read only to name them. */
  dataRevisionBytesMax: 256 * 1_048_576,
  /** Answers that an orchestrator remembers: how much at most of all, how much of one, and for how long when it does not say. */
  resultCacheMbMax: 4_096,
  rememberedAnswerBytesMax: 1_048_576,
  resultCacheSecondsDefault: 300,
  resultCacheSecondsMax: 86_400,
} as const;
