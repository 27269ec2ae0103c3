import pMap from 'p-map';
import { type AccountId, OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../src/receipt/ids.ts';
import { parsePrefix } from '../src/receipt/key-path.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { judge } from './judge.ts';
import type { Sight } from './judgement.ts';
import { type PlainKeyRecord, addRecords, plainRecordsOf } from './key-records.ts';
import { type Known, keysFor, newsOf, nothingKnown } from './known.ts';
import type { LedgerFault } from './ledger-fault.ts';
import {
  type Recording,
  type StreamReading,
  type StreamRecord,
  type StreamRecorder,
  streamRecorder,
} from './record/stream-recorder.ts';
import { type ReceiptHandler, type ReplayRules, type StreamReport, replayStream } from './replay-stream.ts';
import type { SegmentUse } from './segment/segment-fault.ts';
import type { LedgerSource, StreamListing } from './source.ts';
import { sightOf } from './source-sight.ts';
import { openCheck, trustUpTo } from './stream-check.ts';

/** What is done with the receipts of one stream. `end` is called once, when nothing more will come. */
export type StreamWork = { readonly receipt: ReceiptHandler; readonly end: (report: StreamReport) => void | Promise<void> };

/**
 * A part of a ledger that one of several processes has taken on: the part's number, and the process's; and what was found in it that belongs to
 * no stream.
 */
export type Unit = { readonly unit: number; readonly worker: number; readonly strangers: readonly LedgerFault[] };

/** What is done with the streams of one batch. `end` is called once, when all of them have been read. */
export type BatchWork = {
  readonly begin: (stream: Stream) => StreamWork | null;
  readonly end: (report: BatchReport) => void | Promise<void>;
};

/** What a replay is for. One of `finish` (every stream has been read) and `abandon` (something failed) is called, once. */
export type ReplayWork = {
  /** Null when nothing is to be done with the stream but to check it. */
  readonly begin: (stream: Stream) => StreamWork | null;
  /** For work that is done a batch at a time, instead of `begin`. Without a unit the batch is only to be checked. */
  readonly batch?: (unit: Unit | null) => BatchWork;
  readonly finish: () => Promise<void>;
  readonly abandon: () => Promise<void>;
};

export const noWork: ReplayWork = { begin: () => null, finish: () => Promise.resolve(), abandon: () => Promise.resolve() };

/** What streams of accounts have taught so far: told to every lane before it reads streams that rest on them. */
export type KeyDelivery = {
  readonly fingerprint: PublicKeyId | null;
  readonly records: readonly PlainKeyRecord[];
  /** Accounts whose stream is at fault: nothing can be said of a signature that is not in order there. */
  readonly untrue: readonly AccountId[];
};

/** An account's stream that was read, and the keys it introduced. */
export type AccountRead = {
  readonly accountId: AccountId;
  readonly fingerprint: PublicKeyId | null;
  readonly whole: boolean;
  readonly keys: readonly PlainKeyRecord[];
};

export type BatchReport = {
  readonly streams: number;
  readonly receipts: number;
  readonly unverifiable: number;
  readonly faults: readonly LedgerFault[];
  /** Prefixes of streams of which not everything was seen to be true, by a fault of their own or one they rest on. */
  readonly partial: readonly string[];
  readonly accounts: readonly AccountRead[];
  /** Signatures that were verified. */
  readonly signatures: number;
  /** Of each stream, where a verification record is kept; otherwise empty. */
  readonly records: readonly StreamRecord[];
  /** What came of segments; undefined where events alone are read. */
  readonly segments: SegmentUse | undefined;
};

/** One thread's worth of reading. Throws `Outage`. */
export interface Lane {
  learn(delivery: KeyDelivery): Promise<void>;
  replay(batch: readonly StreamListing[], unit?: Unit | null): Promise<BatchReport>;
  /** Completes the work and lets go of everything. */
  finish(): Promise<void>;
  /** Lets go of everything at once, in whatever state it is. */
  abandon(): Promise<void>;
}

/** When the replay began, in milliseconds since 1970, and what is said in a verification record, where one is kept. */
export type Judging = { readonly nowMs: number; readonly recording?: Recording | undefined };

/**
 * A lane in this thread. `trust` is the pinned fingerprint of the operator's first key, if there is one. With `judging`, receipts are
 * looked at together with what they cite in other streams, which a projection does not need: its rows are each of one stream.
 */
export const laneHere = (
  source: LedgerSource,
  trust: PublicKeyId | null,
  work: ReplayWork,
  judging: Judging | null = null,
): Lane => {
  const known = nothingKnown(source, trust);
  const sight = sightOf(known);
  const judge = judging === null ? undefined : judgeBy(sight, judging);
  const recording = judging?.recording;
  const recorder = recording === undefined ? null : streamRecorder({ source, sight, judge, recording });
  const rules = { judge, recorder };
  return {
    learn: async ({ fingerprint, records, untrue }) => {
      known.trust = fingerprint;
      addRecords(known.history, records);
      for (const accountId of untrue) known.untrue.add(accountId);
      known.operatorKeys = plainRecordsOf(known.history, OPERATOR_ACCOUNT_ID);
    },
    replay: async (batch, unit = null) => {
      const batchWork = work.batch?.(unit) ?? { begin: work.begin, end: () => undefined };
      const reads = await pMap(batch, (listing) => replayOne(known, rules, batchWork, listing), {
        concurrency: source.parallelStreams,
      });
      const signatures = known.signatures;
      known.signatures = 0;
      const found = [...(unit?.strangers ?? []), ...known.found.splice(0)];
      const report = { ...summed(reads, found, source.takeSegmentUse?.()), signatures: signaturesOf(reads) + signatures };
      await batchWork.end(report);
      return report;
    },
    finish: () => work.finish(),
    abandon: () => work.abandon(),
  };
};

const judgeBy =
  (sight: Sight, { nowMs }: Judging): Judge =>
  ({ read, event }, { stream, state }) => {
    const { eventId, hash, createdAt: at } = read.receipt;
    return state === null ? null : judge(sight, nowMs, { stream, event, place: { eventId, hash, at }, after: state });
  };

type Judge = NonNullable<ReplayRules['judge']>;
type LaneRules = { readonly judge: Judge | undefined; readonly recorder: StreamRecorder | null };
type Read = {
  readonly report: StreamReport;
  readonly account: AccountRead | null;
  readonly signatures: number;
  readonly record: StreamRecord | null;
};

const replayOne = async (known: Known, rules: LaneRules, work: BatchWork, listing: StreamListing): Promise<Read> => {
  const parsed = parsePrefix(listing.prefix);
  if (!parsed.ok) throw new TypeError(`no stream has the prefix ${listing.prefix}`);
  const stream = parsed.value;
  const reading = (await rules.recorder?.(stream, listing)) ?? null;
  // Nothing of the stream has changed since it was verified, or of what it rests on.
  if (reading !== null && 'record' in reading) return { ...reading, account: null, signatures: 0 };
  const check = openCheck(stream, keysFor(known, stream), known.trust);
  if (reading !== null && reading.trusted >= 0) trustUpTo(check, reading.trusted);
  const todo = work.begin(stream);
  const isFirst = stream.type === 'account' && stream.accountId === OPERATOR_ACCOUNT_ID;
  const read = await replayStream(known.source, reading?.listing ?? listing, check, {
    onReceipt: reading === null ? todo?.receipt : alsoSeen(reading, todo?.receipt),
    askForKeys: ({ keys }, accountIds) => (isFirst ? Promise.resolve('final') : newsOf(known, accountIds, keys)),
    judge: reading === null ? rules.judge : reading.judge,
  });
  const { report, record } = reading?.end(read) ?? { report: read, record: null };
  await todo?.end(report);
  const { signatures } = check;
  if (stream.type !== 'account') return { report, account: null, signatures, record };
  const { accountId } = stream;
  const keys = plainRecordsOf(check.keys, accountId);
  return { report, account: { accountId, fingerprint: check.fingerprint, whole: report.whole, keys }, signatures, record };
};

const alsoSeen =
  ({ seen }: StreamReading, handle: ReceiptHandler | undefined): ReceiptHandler =>
  (checked) => {
    seen(checked);
    return handle?.(checked);
  };

const signaturesOf = (reads: readonly Read[]): number => reads.reduce((sum, { signatures }) => sum + signatures, 0);

const summed = (
  reads: readonly Read[],
  found: readonly LedgerFault[],
  segments: SegmentUse | undefined,
): Omit<BatchReport, 'signatures'> => {
  const reports = reads.map(({ report }) => report);
  return {
    streams: reports.filter(({ receipts, unverifiable, faults }) => receipts + unverifiable + faults.length > 0).length,
    receipts: reports.reduce((sum, { receipts }) => sum + receipts, 0),
    unverifiable: reports.reduce((sum, { unverifiable }) => sum + unverifiable, 0),
    faults: [...reports.flatMap(({ faults }) => faults), ...found],
    partial: reports.flatMap(({ whole, prefix }) => (whole ? [] : [prefix])),
    accounts: reads.flatMap(({ account }) => account ?? []),
    records: reads.flatMap(({ record }) => record ?? []),
    segments,
  };
};
