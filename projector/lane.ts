import pMap from 'p-map';
import { tenantOf } from '../src/projection/project.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../src/receipt/ids.ts';
import { type KeyHistory, emptyKeyHistory } from '../src/receipt/key-history.ts';
import { parsePrefix } from '../src/receipt/key-path.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { readKeys } from './account-keys.ts';
import { type PlainKeyRecord, addRecords, historyOf, plainRecordsOf } from './key-records.ts';
import type { LedgerFault } from './ledger-fault.ts';
import { type KeyNews, type ReceiptHandler, type StreamReport, replayStream } from './replay-stream.ts';
import type { LedgerSource, StreamListing } from './source.ts';
import { type StreamCheck, openCheck } from './stream-check.ts';

/** What is done with the receipts of one stream. `end` is called once, when nothing more will come. */
export type StreamWork = { readonly receipt: ReceiptHandler; readonly end: (report: StreamReport) => void | Promise<void> };

/** What a replay is for. One of `finish` (every stream has been read) and `abandon` (something failed) is called, once. */
export type ReplayWork = {
  /** Null when nothing is to be done with the stream but to check it. */
  readonly begin: (stream: Stream) => StreamWork | null;
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
  readonly accounts: readonly AccountRead[];
};

/** One thread's worth of reading. Throws `Outage`. */
export interface Lane {
  learn(delivery: KeyDelivery): Promise<void>;
  replay(batch: readonly StreamListing[]): Promise<BatchReport>;
  /** Completes the work and lets go of everything. */
  finish(): Promise<void>;
  /** Lets go of everything at once, in whatever state it is. */
  abandon(): Promise<void>;
}

type Known = {
  readonly source: LedgerSource;
  readonly history: KeyHistory;
  readonly untrue: Set<AccountId>;
  operatorKeys: readonly PlainKeyRecord[];
  trust: PublicKeyId | null;
};

/** A lane in this thread. `trust` is the pinned fingerprint of the operator's first key, if there is one. */
export const laneHere = (source: LedgerSource, trust: PublicKeyId | null, work: ReplayWork): Lane => {
  const known: Known = { source, history: emptyKeyHistory(), untrue: new Set(), operatorKeys: [], trust };
  return {
    learn: async ({ fingerprint, records, untrue }) => {
      known.trust = fingerprint;
      addRecords(known.history, records);
      for (const accountId of untrue) known.untrue.add(accountId);
      known.operatorKeys = plainRecordsOf(known.history, OPERATOR_ACCOUNT_ID);
    },
    replay: async (batch) => {
      const found: LedgerFault[] = [];
      const reads = await pMap(batch, (listing) => replayOne(known, work, listing, found), {
        concurrency: source.parallelStreams,
      });
      return summed(reads, found);
    },
    finish: () => work.finish(),
    abandon: () => work.abandon(),
  };
};

type Read = { readonly report: StreamReport; readonly account: AccountRead | null };

const replayOne = async (known: Known, work: ReplayWork, listing: StreamListing, found: LedgerFault[]): Promise<Read> => {
  const parsed = parsePrefix(listing.prefix);
  if (!parsed.ok) throw new TypeError(`no stream has the prefix ${listing.prefix}`);
  const stream = parsed.value;
  const check = openCheck(stream, keysFor(known, stream), known.trust);
  const todo = work.begin(stream);
  const report = await replayStream(known.source, listing, check, {
    onReceipt: todo?.receipt,
    askForKeys: (asking) => newsOf(known, asking, found),
  });
  await todo?.end(report);
  if (stream.type !== 'account') return { report, account: null };
  const { accountId } = stream;
  const keys = plainRecordsOf(check.keys, accountId);
  return { report, account: { accountId, fingerprint: check.fingerprint, whole: report.whole, keys } };
};

const keysFor = (known: Known, stream: Stream): KeyHistory => {
  if (stream.type !== 'account') return known.history;
  return stream.accountId === OPERATOR_ACCOUNT_ID ? emptyKeyHistory() : historyOf(known.operatorKeys);
};

/** Looks again at the streams that a signature rests on: they may have grown since they were read. */
const newsOf = async (known: Known, check: StreamCheck, found: LedgerFault[]): Promise<KeyNews> => {
  const { stream } = check;
  const tenant = tenantOf(stream);
  if (tenant === OPERATOR_ACCOUNT_ID && stream.type === 'account') return 'final';
  const restsOn = stream.type === 'account' || tenant === null ? [] : [tenant];
  if ([OPERATOR_ACCOUNT_ID, ...restsOn].some((accountId) => known.untrue.has(accountId))) return 'untrue';
  const read = await readKeys(known.source, known.trust, restsOn);
  if (read.ok) {
    addRecords(check.keys, read.value);
    return 'again';
  }
  known.untrue.add(read.error.accountId);
  found.push(...read.error.faults);
  return 'untrue';
};

const summed = (reads: readonly Read[], found: readonly LedgerFault[]): BatchReport => {
  const reports = reads.map(({ report }) => report);
  return {
    streams: reports.filter(({ receipts, unverifiable, faults }) => receipts + unverifiable + faults.length > 0).length,
    receipts: reports.reduce((sum, { receipts }) => sum + receipts, 0),
    unverifiable: reports.reduce((sum, { unverifiable }) => sum + unverifiable, 0),
    faults: [...reports.flatMap(({ faults }) => faults), ...found],
    accounts: reads.flatMap(({ account }) => account ?? []),
  };
};
