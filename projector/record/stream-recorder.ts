import { limits } from '../../src/limits.ts';
import { type CollectionId, type DropId, type Instant, type ReceiptHash, instantOf } from '../../src/receipt/ids.ts';
import type { Stream } from '../../src/receipt/stream.ts';
import type { Judgement, Sight } from '../judgement.ts';
import type { LedgerFault } from '../ledger-fault.ts';
import type { ReplayRules, StreamReport } from '../replay-stream.ts';
import type { LedgerSource, StreamListing } from '../source.ts';
import type { CheckedReceipt, StreamCheck } from '../stream-check.ts';
import { changedFault, goneFault, knownBefore } from './recorded-fault.ts';
import { type StreamLook, lookAt } from './stream-look.ts';
import { type VerifiedStream, lineOf } from './verified-stream.ts';

/** When this run began, and when that of the record that it starts from; null where nothing is taken from one. Milliseconds since 1970. */
export type Recording = { readonly startedMs: number; readonly sinceMs: number | null };

/** `again`: it has as many receipts as then, but something about it has to be looked at again. */
export type Change = 'unchanged' | 'grown' | 'again' | 'fresh';

/** What came of one stream, for the record. */
export type StreamRecord = {
  /** Its entry in the next record; null when it cannot have one. */
  readonly line: string | null;
  /** Null for a stream without objects. */
  readonly change: Change | null;
  /** Whether receipts that came since are dated before the record: what others rest on was changed after they were verified. */
  readonly late: boolean;
};

export type Recorded = { readonly report: StreamReport; readonly record: StreamRecord };

/** A stream that has to be read, and how far its record is relied on. */
export type StreamReading = {
  readonly listing: StreamListing;
  /** The last position whose signature need not be verified; -1 for none. */
  readonly trusted: number;
  readonly judge: ReplayRules['judge'];
  /** Has to be told of each receipt, in order. */
  readonly seen: (checked: CheckedReceipt) => void;
  readonly end: (report: StreamReport) => Recorded;
};

/** Decides for each stream how much of it is read. Throws `Outage`. */
export type StreamRecorder = (stream: Stream, listing: StreamListing) => Promise<StreamReading | Recorded>;

type Parts = {
  readonly source: LedgerSource;
  readonly sight: Sight;
  readonly judge: ReplayRules['judge'];
  readonly recording: Recording;
};

/**
 * A stream of the record that has the same objects with the same tags is not read. Accounts' streams always are, and whole: all others rest on
 * them. Of the rest, what was verified before is read strictly and chained up to the recorded hash, and only what is new is checked in full.
 * What makes a true receipt untrue later is followed up: a drop's seed (`draws`), a trade that is never settled
 * and what the run may have missed while it went on (entries without tags), receipts dated back (`late`).
 */
export const streamRecorder =
  (parts: Parts): StreamRecorder =>
  async (stream, listing) => {
    const entry = listing.recorded?.entry ?? null;
    const look = await lookAt(parts.source, listing, entry === null ? 0 : entry.position + 1);
    const relied = listing.recorded?.trusted === true && entry?.tags !== null && stream.type !== 'account' ? entry : null;
    const isOpen = relied === null || (await drawsStayOpen(parts.sight, relied));
    const isSame = relied !== null && look.tagsThen === relied.tags;
    if (isSame && isOpen && look.objects === relied.position + 1) return unchanged(relied);
    return reading(parts, { stream, look, entry, judged: isOpen ? relied : null, trusted: isSame ? relied.position : -1 });
  };

const unchanged = (entry: VerifiedStream): Recorded => ({
  report: { prefix: entry.prefix, receipts: entry.position + 1, unverifiable: 0, faults: [], whole: true },
  record: { line: lineOf(entry), change: 'unchanged', late: false },
});

/** Whether nobody knows the seeds of the drops yet: once told, they prove the draws, or prove them wrong. */
const drawsStayOpen = async (sight: Sight, { draws }: VerifiedStream): Promise<boolean> => {
  if (draws === null) return true;
  const { history, whole } = await sight.collection(draws.collectionId, false);
  return whole && draws.dropIds.every((dropId) => history.drops.get(dropId)?.closed === null);
};

type Begun = {
  readonly stream: Stream;
  readonly look: StreamLook;
  readonly entry: VerifiedStream | null;
  /** The entry, where what the receipts of then say of other streams need not be judged again. */
  readonly judged: VerifiedStream | null;
  readonly trusted: number;
};

const reading = ({ sight, judge, recording }: Parts, { stream, look, entry, judged, trusted }: Begun): StreamReading => {
  const { startedMs, sinceMs } = recording;
  const young = instantOf(startedMs - limits.redoOverdueMs);
  const dated = sinceMs === null || !isRestedOn(stream) ? null : instantOf(sinceMs - limits.keyGraceMs);
  const draws = openDraws(sight, judged);
  let hashThen: ReceiptHash | null = null;
  let end: { readonly hash: ReceiptHash; readonly at: Instant } | null = null;
  let late = false;
  const told = entry?.position ?? -1;

  const entryOf = (): VerifiedStream | null => {
    if (end === null) return null;
    const proves = look.objects === look.last + 1 && end.at <= young;
    return {
      prefix: look.listing.prefix,
      position: look.last,
      hash: end.hash,
      tags: proves ? look.tags : null,
      draws: draws.open(),
    };
  };
  return {
    listing: look.listing,
    trusted,
    judge:
      judge === undefined
        ? undefined
        : (checked, check) =>
            checked.read.position <= (judged?.position ?? -1)
              ? null
              : (draws.before(checked, check, judge) ?? judge(checked, check)),
    seen: ({ read: { position, receipt } }) => {
      if (position === told) hashThen = receipt.hash;
      if (position === look.last) end = { hash: receipt.hash, at: receipt.createdAt };
      late ||= dated !== null && position > told && receipt.createdAt < dated;
    },
    end: (report) => {
      const faults = entry === null ? report.faults : alarms(entry, look, report.faults, hashThen);
      const whole = report.whole && faults.length === 0;
      const next = whole ? entryOf() : null;
      const change = look.objects === 0 && faults.length === 0 ? null : changeOf(stream, entry, look);
      return { report: { ...report, faults, whole }, record: { line: next === null ? null : lineOf(next), change, late } };
    },
  };
};

/** Whether receipts of other streams are judged by the dates in this one. */
const isRestedOn = ({ type }: Stream): boolean => type === 'account' || type === 'collection';

/** An account's stream is read whether it has changed or not. */
const changeOf = ({ type }: Stream, entry: VerifiedStream | null, { last, tagsThen }: StreamLook): Change => {
  if (entry === null) return 'fresh';
  if (last > entry.position) return 'grown';
  return type === 'account' && last === entry.position && entry.tags === tagsThen ? 'unchanged' : 'again';
};

const alarms = (
  entry: VerifiedStream,
  { objects, last }: StreamLook,
  faults: readonly LedgerFault[],
  hashThen: ReceiptHash | null,
): readonly LedgerFault[] => [
  ...faults.map((fault) => knownBefore(entry, fault)),
  ...(last < entry.position ? [goneFault(entry, last + 1, objects === 0)] : []),
  ...(hashThen !== null && hashThen !== entry.hash ? [changedFault(entry)] : []),
];

type Draws = {
  /** Null for what is no pack; otherwise judges it, once it was noted whether its seed was known by then. */
  readonly before: (checked: CheckedReceipt, check: StreamCheck, judge: Judge) => Promise<Judgement> | null;
  readonly open: () => VerifiedStream['draws'];
};

type Judge = NonNullable<ReplayRules['judge']>;

/** Asked before it is judged: a seed that is told in between then counts as not judged by, rather than the other way round. */
const openDraws = (sight: Sight, judged: VerifiedStream | null): Draws => {
  let collectionId: CollectionId | null = judged?.draws?.collectionId ?? null;
  const dropIds = new Set<DropId>(judged?.draws?.dropIds);
  return {
    before: (checked, check, judge) => {
      const { event } = checked;
      const { state } = check;
      if (event.type !== 'PACK_ISSUED' || state?.type !== 'pixbook' || state.state.status === 'absent') return null;
      const { dropId } = event.payload;
      const its = state.state.collectionId;
      return sight.collection(its, false).then(({ history }) => {
        const drop = history.drops.get(dropId);
        if (drop === undefined || drop.closed === null) {
          collectionId = its;
          dropIds.add(dropId);
        }
        return judge(checked, check);
      });
    },
    open: () => (collectionId === null || dropIds.size === 0 ? null : { collectionId, dropIds: [...dropIds] }),
  };
};
