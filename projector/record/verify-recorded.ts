import type { KeyObject } from 'node:crypto';
import { systemClock } from '../../src/port/clock.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { type EventId, type PublicKeyId, epochMsOf, instantOf } from '../../src/receipt/ids.ts';
import { type Result, ok } from '../../src/result.ts';
import type { BatchReport, Lane } from '../lane.ts';
import type { LedgerReport } from '../ledger-report.ts';
import { OPERATOR_PREFIX } from '../ledger-walk.ts';
import { type VerifyOptions, verifyLedger } from '../verify.ts';
import { type Expected, expectedStreams } from './expected-streams.ts';
import { VERIFIER_VERSION, fingerprintOf } from './manifest.ts';
import { type OpenedRecord, type RecordFault, openNewest } from './open-record.ts';
import type { Change } from './stream-recorder.ts';
import type { RecordedStream } from './verified-stream.ts';
import { writeRecord } from './write-record.ts';

export type RecordOptions = {
  /** Where records are kept; other things may be there too. */
  readonly store: ReceiptStore;
  /** The verifier's own. */
  readonly key: KeyObject;
  /** Starts over: whatever record there is is neither read nor relied on. */
  readonly anew: boolean;
};

/** What a run made of the last record, and of the next. */
export type RecordReport = {
  /** Null where there was none. `relied`: whether anything was taken from it as verified. */
  readonly from: {
    readonly name: EventId;
    readonly startedAt: string;
    readonly verifier: number;
    readonly relied: boolean;
  } | null;
  readonly signedBy: PublicKeyId;
  /** Streams by what has become of them since then. */
  readonly streams: { readonly [C in Change]: number };
  readonly signatures: number;
  /** Whether receipts were found that are dated before the record and came after it, so that everything was verified again. */
  readonly datedBack: boolean;
  /** The record that was written; null where the ledger is not valid, and the one before stays. */
  readonly written: EventId | null;
};

export type RecordedVerification = { readonly report: LedgerReport; readonly record: RecordReport };

/**
 * `verifyLedger` from the last record on, which then writes the next one, if all is well. Errors: the record cannot be believed.
 * Throws `Outage`.
 */
export const verifyRecorded = async (
  options: VerifyOptions,
  { store, key, anew }: RecordOptions,
): Promise<Result<RecordedVerification, RecordFault>> => {
  const signedBy = fingerprintOf(key);
  const opened = anew ? ok(null) : await openNewest(store, { signedBy, trust: options.trust });
  if (!opened.ok) return opened;
  const from = opened.value;
  // Before anything is read: whatever is written from here on is not taken as settled.
  const startedMs = options.nowMs ?? systemClock.now();
  const relies = from?.manifest.statement.verifier === VERIFIER_VERSION;
  const first = await runFrom(options, from, startedMs, relies);
  const datedBack = relies && first.late;
  const { report, sum, lines } = datedBack ? await runFrom(options, from, startedMs, false) : first;
  const { fingerprint, receipts, source } = report;
  const statement = { verifier: VERIFIER_VERSION, source, startedAt: instantOf(startedMs), receipts };
  const written =
    report.verdict !== 'valid' || fingerprint === null
      ? null
      : await writeRecord(store, { ...statement, fingerprint, previous: from?.manifest.sha256 ?? null, lines, key });
  return ok({ report, record: { from: toldOf(from, relies && !datedBack), signedBy, ...sum, datedBack, written } });
};

const toldOf = (from: OpenedRecord | null, relied: boolean): RecordReport['from'] => {
  if (from === null) return null;
  const { startedAt, verifier } = from.manifest.statement;
  return { name: from.name, startedAt, verifier, relied };
};

type Run = {
  readonly report: LedgerReport;
  readonly sum: Pick<RecordReport, 'streams' | 'signatures'>;
  readonly lines: string[];
  readonly late: boolean;
};

/** What is gathered grows by one line a stream. */
const runFrom = async (options: VerifyOptions, from: OpenedRecord | null, startedMs: number, trusted: boolean): Promise<Run> => {
  const streams = { unchanged: 0, grown: 0, again: 0, fresh: 0 };
  const lines: string[] = [];
  let signatures = 0;
  let late = false;
  const take = (report: BatchReport): void => {
    signatures += report.signatures;
    for (const { line, change, late: isLate } of report.records) {
      if (line !== null) lines.push(line);
      if (change !== null) streams[change] += 1;
      late ||= isLate;
    }
  };
  const operator = from?.operator ?? null;
  const report = await verifyLedger({
    ...options,
    nowMs: startedMs,
    recording: { startedMs, sinceMs: from !== null && trusted ? epochMsOf(from.manifest.statement.startedAt) : null },
    around: {
      source: (source) => expectedStreams(source, from?.entries ?? nothing, trusted),
      lane: (lane) => recordingLane(lane, operator === null ? undefined : { entry: operator, trusted }, take),
    },
  });
  return { report, sum: { streams, signatures }, lines, late };
};

async function* nothing(): Expected {}

/** The operator's stream is read before the ledger is walked, and so gets its entry here. */
const recordingLane = (lane: Lane, operator: RecordedStream | undefined, take: (report: BatchReport) => void): Lane => ({
  ...lane,
  replay: async (batch, unit) => {
    const report = await lane.replay(
      batch.map((listing) => (listing.prefix === OPERATOR_PREFIX ? { ...listing, recorded: operator } : listing)),
      unit,
    );
    take(report);
    return report;
  },
});
