import { callerLimits } from './caller-limits.ts';
import { domainLimits } from './domain-limits.ts';
import { replayLimits } from './replay-limits.ts';

/** A number on everything. Units are the last word of each name. */
export const limits = {
  ...callerLimits,
  ...domainLimits,
  ...replayLimits,
  /** Canonical size of a whole receipt (receipt.md §1). */
  receiptBytes: 64 * 1024,
  /** Canonical size of the state a client may save (domain rule 1). */
  savedStateBytes: 32 * 1024,
  /** Size of an HTTP request body: an order of `packsPerBatch` books, each with its account, is the largest. */
  requestBodyBytes: 128 * 1024,
  /** The art of one card. */
  artBytes: 256 * 1024,
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

  /** Items of a batch being made at once, and how often at most its progress is written: after this long, or this many items. */
  batchParallelItems: 32,
  batchProgressMs: 1_000,
  batchProgressItems: 50,

  /** Jobs being done at once by one process, and its connections to Postgres for them: one listens. */
  jobsAtOnce: 4,
  jobConnections: 5,
  /** How often an idle process looks for jobs that it was not told of: those to be tried again, and those of a process that died. */
  jobPollMs: 5_000,
  /** How often a process looks for what must be done: open redo items, offers whose time is over, jobs of processes that died. */
  sweepMs: 5_000,
  /** How often a process looks for batches that are not finished and have no job: only a restored or wiped queue leaves such. */
  batchSweepMs: 60_000,
  /** Redo items younger than this are being seen to by the command that made them. */
  redoPatienceMs: 10_000,
  /** Items of a kind that one sweep makes jobs of. */
  sweptItems: 500,
  /** Open redo items are counted up to this. */
  countedRedoItems: 10_000,
  /** A redo item that was open for this long is an alarm, which is repeated after the same time. */
  redoAlarmMs: 10 * 60_000,
  /** The back-off of a failed job is at most this. */
  jobRetryCapMs: 60_000,

  /**
   * A run of the projector that an operator asked for: how long it may take (the job library gives a job to somebody else after four hours), the
   * heap of each of its threads, how long it has to end when told to, how much is read of what it says, and how much of that is kept.
   */
  runMs: 3 * 3_600_000,
  runHeapMegabytes: 512,
  runThreads: 1,
  runEndMs: 2_000,
  runSpokenBytes: 16 * 1024 * 1024,
  runReportBytes: 256 * 1024,
  /** Elements of each list in a report that is too long. */
  runReportElements: 20,
  /** How often counted commands are handed to the database, and how many accounts' at a time. */
  meterFlushMs: 5_000,
  meteredAccounts: 500,

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
  /**
   * The streams that authority rests on (the account's, the operator's) are caught up again after this time: a process on another Postgres may
   * have rotated a key or removed a member. Well below `keyGraceMs`, or a retired key would sign receipts that never verify.
   */
  authorityTrustMs: 60_000,
  /** The same for a collection that packs are drawn from: a drop closed elsewhere has told its seed. */
  collectionTrustMs: 2_000,
  /** Collections and unsealed seeds kept in memory. */
  rememberedCollections: 200,
  rememberedSeeds: 1_000,
  /** Art that is known to be in the store. */
  rememberedArt: 10_000,
  /** Back-off: base and cap of full-jitter exponential delays. */
  backoffBaseMs: 20,
  backoffCapMs: 1_000,
  /** Deadline of one call to the store, the signer, Postgres. */
  storeTimeoutMs: 5_000,
  signTimeoutMs: 5_000,
  databaseTimeoutMs: 5_000,
  /** How long a new connection to Postgres may take. */
  databaseConnectMs: 4_000,
  /** Connections to Postgres of one pool. */
  databaseConnections: 16,
  /** An idle connection to Postgres is closed after this. */
  databaseIdleMs: 60_000,
  /** Receipts applied, or views read, by one statement. */
  databaseBatch: 256,
  /** Statements of one kind (apply, view) in flight at once. */
  databaseBatchesInFlight: 2,
  /** Times a batch is repeated when Postgres ends it in favour of a rival (deadlock, serialization). */
  databaseRivalAttempts: 5,
  /** How often the roles are looked at again while other processes make them too. */
  roleAttempts: 20,
  /** How long the swap of a rebuild waits for the live tables before it lets others pass, and how often it tries. */
  swapLockMs: 50,
  swapAttempts: 200,
  /** Statements of different shapes that one connection keeps prepared for applying, and as many for asking. */
  databasePreparedStatements: 200,
  /** Streams, positions and public keys this process remembers. */
  rememberedStreams: 100_000,
  rememberedPublicKeys: 10_000,
  /** A gap longer than this is read by LIST rather than by one GET after another. */
  pointReadGapReceipts: 16,
  /** Keys asked for in one LIST. */
  listPageKeys: 1_000,
  /** Receipts fetched from the store at once by one reader. */
  parallelReads: 32,
  /** A certificate holds at most a collection's whole stream besides its own receipts. */
  certificateBytes: 64 * 1024 * 1024,

  /** A snapshot of a pixbook: a book that needs more has none. It is made anew once the book has so many receipts more. */
  snapshotBytes: 2 * 1024 * 1024,
  snapshotEveryReceipts: 100,
  /** Receipts read back in search of the last save before a snapshot is asked for. */
  asOfUnaidedReceipts: 30,
  /** Receipts that one answer from the store alone may cost, of accounts and of the book together, and such answers at once in this process. */
  coldReadReceipts: 2_000,
  concurrentColdReads: 4,
  /** Accounts whose streams, as the store has them, this process remembers. */
  rememberedColdAccounts: 1_000,

  /** Pauses between tries of a start-up step whose dependency is down. */
  startRetryBaseMs: 500,
  startRetryCapMs: 5_000,

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
  /** How long a start waits for a process that uses the directory: it may be the one that is being restarted. */
  embeddedHandoverMs: 5_000,
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
  /** Creates and reads in progress at once in one file store; the rest wait in order, so that open files stay bounded. */
  parallelFileCreates: 128,
  parallelFileReads: 128,
  /** Directories a file store keeps open for fsync, and those it remembers to have made durable. */
  openDirectories: 512,
  durableDirectories: 20_000,
  /** Entries of large directories a file store remembers, and how long one must have been unchanged for that. */
  rememberedEntries: 250_000,
  directoryRestMs: 5_000,
  /** How long a file must have been unchanged for its change times to show the next change. */
  tagRestMs: 2_000,
  /** A temporary file this old belongs to nobody: a create takes seconds at most. */
  staleTempFileMs: 3_600_000,
  /** Connections to an S3 endpoint, and how long one may take to open. */
  s3Sockets: 128,
  s3ConnectTimeoutMs: 3_000,
  /** Concurrent creates of one key with which a store is tried at start. */
  qualificationRivals: 32,
  /** Tries of one S3 read or list (never of a create). */
  s3ReadAttempts: 3,

  /** Private keys a local signer keeps in memory. */
  rememberedPrivateKeys: 10_000,
  /** Connections to Vault, and how long an idle one is kept: less than the minute after which balancers cut it. */
  vaultSockets: 64,
  vaultIdleSocketMs: 45_000,
  /** Messages signed by one call to Vault. */
  vaultBatchSignatures: 200,
  /** The longest time a timer can be told to wait (2^31 - 1): a longer lease is renewed earlier than it need be. */
  timerMs: 2_147_483_647,
  /** Pause between two renewals of a lease that hardly lives. */
  vaultRenewFloorMs: 1_000,
  /** Pause after a refused login: somebody has to act first. */
  vaultRefusedLoginMs: 60_000,
  /** The same where Vault counts wrong secrets: five within 15 minutes lock the role for all who use it, rightful ones too. */
  vaultLockoutMs: 20 * 60_000,
  /** Permission denied to a token younger than this is the policy's doing, unless Vault calls the token itself invalid. */
  vaultFreshTokenMs: 10_000,
  /** What Vault says is quoted up to this length. */
  vaultReasonChars: 300,
} as const;
