/** Numbers of whatever reads the whole ledger: verify, rebuild, repair, drift, segments, records. Units are the last word of each name. */
export const replayLimits = {
  /** Streams that one thread reads from a bucket at once. */
  parallelStreams: 8,
  /** Streams and keys handed to a reading thread at once, and such batches that it has at a time. */
  replayBatchStreams: 64,
  replayBatchKeys: 4_096,
  /** The same of streams whose receipts lie in one bundle. */
  bundledBatchStreams: 1_024,
  replayBatchesAhead: 2,
  /**
   * A rebuild's unit, the part of the ledger that a thread loads in one transaction: objects in it, at least and at most, and streams. How
   * much of its rows is held before they are sent ahead of the end, and how often a process looks whether others are done with theirs.
   */
  smallUnitKeys: 256,
  unitKeys: 4_096,
  unitStreams: 2_048,
  unitBytes: 16 * 1024 * 1024,
  unitPollMs: 200,
  /** How often a log is told how far a run has come. */
  progressLineMs: 30_000,
  /** Public keys that a reading thread holds ready. */
  replayedKeys: 2_000,
  /** Streams that go on growing while a projection is made: those that are held ready to be followed, and those written together. */
  followedStreams: 1_000,
  followedTogether: 200,
  /** Tables that are indexed at the same time. */
  indexedTables: 2,
  /** Receipts of one stream whose rows are held while it is folded. */
  foldedReceipts: 256,
  /** How long a process that is to help with a rebuild waits for one to begin. */
  helperPatienceMs: 60_000,
  /** How long a reading thread goes on without a turn for anybody else. */
  blockingReadsMs: 10,
  /** Memory that a reading thread takes from the system at once for the objects it reads. */
  readBufferBytes: 1024 * 1024,
  /** Rows are sent to Postgres in messages of this size. */
  copyMessageBytes: 256 * 1024,
  /** Receipts and bytes of one segment, whichever comes first, and the fewest that one is made for without being asked to. */
  segmentReceipts: 4_096,
  segmentBytes: 4 * 1024 * 1024,
  segmentMinReceipts: 256,
  /** Only receipts this old are bundled: a listing has shown them together with all before them. */
  segmentSettleMs: 10 * 60_000,
  /** Segments that may lie over one place of the key order before all is bundled anew. */
  segmentDepth: 16,
  /** What a reader takes for a segment at all: its index, and its receipts when they are unpacked. */
  segmentIndexBytes: 4 * 1024 * 1024,
  segmentUnpackedBytes: 16 * 1024 * 1024,
  /** One in so many receipts that are read from a segment is held against its event. */
  segmentSampleReceipts: 1_000,
  /** Unpacked segments that one source holds, and how many of them it keeps though it has read past them. */
  segmentShelfBytes: 72 * 1024 * 1024,
  segmentsKept: 3,
  /** Streams whose listed keys a source with segments remembers. */
  segmentShownStreams: 64,
  /** Rows of one table that are written to Postgres by one statement. */
  writtenRows: 2_000,
  /** Rounds in which a rebuild follows streams that go on growing, before it makes their writers wait. */
  catchUpRounds: 10,
  /** How long a difference of heads must last to be drift, and how often it is looked at. */
  driftPatienceMs: 2_000,
  driftPollMs: 100,
  /**
   * The service's own drift runs: hours between them where Postgres is embedded, how often it looks whether it is time, how long after a start the
   * first of all may come, and how soon one is asked for again that came to nothing.
   */
  driftEveryHours: 24,
  driftSweepMs: 60_000,
  firstDriftMs: 10 * 60_000,
  driftRetryMs: 3_600_000,
  /** How often one process writes down that it met the same stopped stream. */
  quarantineNoteMs: 60_000,
  /** An accepted trade that was not settled within this time is told by `verify`: until then the redo worker may be about to. */
  redoOverdueMs: 15 * 60_000,
  /** Streams in one chunk of a verification record, and the size to which one may unfold. */
  recordChunkStreams: 4_096,
  recordChunkBytes: 16 * 1024 * 1024,
  /** Faults that a report lists; more are counted. */
  reportedFaults: 1_000,
} as const;
