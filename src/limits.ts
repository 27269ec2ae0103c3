/** A number on everything. Units are the last word of each name. */
export const limits = {
  /** Canonical size of a whole receipt (receipt.md §1). */
  receiptBytes: 64 * 1024,
  /** Canonical size of the state a client may save (domain rule 1). */
  savedStateBytes: 32 * 1024,
  /** Size of an HTTP request body. */
  requestBodyBytes: 128 * 1024,
  /** Nesting of any JSON we accept, and of any receipt we read. */
  jsonDepth: 32,
  /** Length of an idempotency key. */
  idempotencyKeyChars: 255,
  /** Members of one account, removed ones included: an account's state is read whole for each of its commands. */
  membersPerAccount: 200,
  /** Identities of one account, revoked ones included. */
  identitiesPerAccount: 200,
  /** Key generations of one identity. */
  keyGenerationsPerIdentity: 10_000,
  /** Closed books an identity may have had of one collection. */
  pixbookGenerations: 1_000,

  /** Commands that may wait in this process for one stream before 503. */
  streamQueueCommands: 256,
  /** Commands that may wait in this process for all streams together before 503. */
  allQueuesCommands: 8_192,
  /** Positions an append may lose to rivals before 503. */
  appendAttempts: 5,
  /** Puts of identical bytes within one attempt when the outcome is unknown or the store says "busy". */
  putAttempts: 3,
  /** A predecessor read or written by this process within this time is not checked again. */
  predecessorTrustMs: 60_000,
  /** Back-off: base and cap of full-jitter exponential delays. */
  backoffBaseMs: 20,
  backoffCapMs: 1_000,
  /** Deadline of one call to the store, the signer, Postgres. */
  storeTimeoutMs: 5_000,
  signTimeoutMs: 5_000,
  databaseTimeoutMs: 5_000,
  /** Streams, positions and public keys this process remembers. */
  rememberedStreams: 100_000,
  rememberedPublicKeys: 10_000,
  /** A gap longer than this is read by LIST rather than by one GET after another. */
  pointReadGapReceipts: 16,
  /** Keys asked for in one LIST. */
  listPageKeys: 1_000,
  /** Receipts fetched from the store at once by one reader. */
  parallelReads: 32,

  /** Grace for appends in flight when a key is introduced, rotated or revoked (receipt.md §6). */
  keyGraceMs: 5 * 60_000,

  /** Receipts, books and the like in one page of a list. */
  pageRows: 100,
  defaultPageRows: 50,
  /** How long a query with `minEventId` waits for the projection. */
  readYourWritesMs: 2_000,

  /** Embedded Postgres: start, crash recovery included; orderly stop before it is told to abort; abort before SIGKILL. */
  embeddedStartMs: 120_000,
  embeddedStopMs: 20_000,
  embeddedAbortMs: 5_000,
  /** Pause between two looks at an embedded Postgres that is starting or stopping. */
  embeddedPollMs: 15,
  /** Its log is kept over restarts up to this size, and this much of its end is quoted in an error. */
  embeddedLogBytes: 4 * 1024 * 1024,
  embeddedLogTailBytes: 4 * 1024,
  embeddedConnections: 100,

  /** Length of an object key (S3), and of one of its segments (a file name on common file systems). */
  objectKeyBytes: 1_024,
  objectKeySegmentBytes: 255,
  /** Largest object a store hands out: far above any receipt, far below what would hurt. */
  storedObjectBytes: 16 * 1024 * 1024,
  /** Creates in progress at once in one file store; the rest wait in order, so that open files stay bounded. */
  parallelFileCreates: 256,
  /** Directories a file store keeps open for fsync, and those it remembers to have made durable. */
  openDirectories: 512,
  durableDirectories: 20_000,
  /** A temporary file this old belongs to nobody: a create takes seconds at most. */
  staleTempFileMs: 3_600_000,
  /** Connections to an S3 endpoint, and how long one may take to open. */
  s3Sockets: 128,
  s3ConnectTimeoutMs: 3_000,
  /** Tries of one S3 read or list (never of a create). */
  s3ReadAttempts: 3,
} as const;
