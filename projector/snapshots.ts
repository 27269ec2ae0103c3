import { limits } from '../src/limits.ts';
import { type Clock, systemClock, withDeadline } from '../src/port/clock.ts';
import { Outage } from '../src/port/outage.ts';
import type { ReceiptStore } from '../src/port/receipt-store.ts';
import { type Signer, keyNameOf } from '../src/port/signer.ts';
import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, type PublicKeyId } from '../src/receipt/ids.ts';
import { type KeyRecord, emptyKeyHistory, keyRecordOf, learnKeys } from '../src/receipt/key-history.ts';
import { snapshotKeyOf } from '../src/receipt/key-path.ts';
import { toLowS, verifySignature } from '../src/receipt/signature.ts';
import { type BookAt, bookAfter } from '../src/snapshot/book-at.ts';
import { openSnapshot } from '../src/snapshot/open-snapshot.ts';
import { type SealingKey, sealSnapshot } from '../src/snapshot/seal-snapshot.ts';
import { type StreamState, emptyStream, evolveStream, isPixbookEvent } from '../src/stream/fold.ts';
import { type ReplayWork, type StreamWork, laneHere } from './lane.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import { replayLedger } from './replay.ts';
import type { LedgerSource } from './source.ts';
import type { CheckedReceipt } from './stream-check.ts';

export type SnapshotOptions = {
  /** Opened with `durable`. */
  readonly source: LedgerSource;
  /** The same ledger: where snapshots are looked at and written. */
  readonly store: Pick<ReceiptStore, 'read' | 'replaceDerived'>;
  readonly signer: Pick<Signer, 'sign'>;
  readonly trust: PublicKeyId | null;
  /** A pixbook's prefix, or a folder above some; all of them when left out. */
  readonly below?: string | null | undefined;
  /** A book gets a new one when it has so many receipts more than its present one. */
  readonly everyReceipts?: number | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly clock?: Clock | undefined;
};

export type SnapshotReport = {
  readonly ledger: LedgerReport;
  readonly written: number;
  /** Pixbooks of enough receipts whose present snapshot is good and not yet old. */
  readonly fresh: number;
  /** Pixbooks that no snapshot has room for. */
  readonly tooLarge: number;
};

const PIXBOOKS = 'pixpax/pixbooks';

/**
 * Writes snapshots of pixbooks, each folded from receipts that were all verified, and signed with the operator's key of now. A pixbook at fault gets
 * none and is named; the others are not touched by it. Whoever else writes at the same time does no harm: the last one stays, and either is good.
 * Throws `Outage`, at once when the signer cannot sign.
 */
export const writeSnapshots = async (options: SnapshotOptions): Promise<SnapshotReport> => {
  const { source, signer, trust, below, everyReceipts = limits.snapshotEveryReceipts, onProgress, clock = systemClock } = options;
  const done = { written: 0, fresh: 0, tooLarge: 0 };
  const parts = { store: options.store, signer, clock };
  let key: SealingKey | null = null;

  const endOfBook = async (book: BookAt): Promise<void> => {
    if (key === null || book.head.position + 1 < everyReceipts) return;
    done[await renewed(parts, key, book, everyReceipts)] += 1;
  };
  const work: ReplayWork = {
    begin: (stream) => {
      if (stream.type === 'pixbook') return bookWork(stream, endOfBook);
      if (stream.type !== 'account' || stream.accountId !== OPERATOR_ACCOUNT_ID) return null;
      return operatorWork(async (found) => {
        await trySigner(parts, found);
        key = found;
      });
    },
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
  const ledger = await replayLedger({
    source,
    lanes: [laneHere(source, trust, work)],
    pinned: trust !== null,
    below: below ?? PIXBOOKS,
    onProgress,
  });
  return { ledger, ...done };
};

type Parts = { readonly store: SnapshotOptions['store']; readonly signer: SnapshotOptions['signer']; readonly clock: Clock };

/** Writes the snapshot of a pixbook unless it has one that is good and not old. */
const renewed = async (
  parts: Parts,
  key: SealingKey,
  book: BookAt,
  everyReceipts: number,
): Promise<'written' | 'fresh' | 'tooLarge'> => {
  const present = await openSnapshot(parts, book.stream, () => Promise.resolve(key.record));
  if (present.ok && book.head.position - present.value.head.position < everyReceipts) return 'fresh';
  const sealed = await sealSnapshot(parts, key, book);
  if (!sealed.ok) return 'tooLarge';
  // A crash before, in or after this leaves the old snapshot or the new one, whole: either is good, and the next run goes on from there.
  await withDeadline(parts.clock, 'store', limits.storeTimeoutMs, () =>
    parts.store.replaceDerived(snapshotKeyOf(book.stream), sealed.value),
  );
  return 'written';
};

/** Folds a pixbook; what it came to is handed on when all of its stream is true. */
const bookWork = (stream: BookAt['stream'], end: (book: BookAt) => Promise<void>): StreamWork => {
  let state: StreamState = emptyStream(stream);
  let book: BookAt | null = null;
  return {
    receipt: (checked) => {
      state = stateAfter(state, checked);
      if (state.type !== 'pixbook' || state.state.status === 'absent' || !isPixbookEvent(checked.event))
        throw new TypeError('a receipt of a pixbook that was checked leads to none');
      book = bookAfter(book, stream, checked.read, checked.event, state.state);
    },
    end: async ({ whole }) => {
      if (whole && book !== null) await end(book);
    },
  };
};

/** Follows the operator's keys; hands on the one of now when all of the stream is true. */
const operatorWork = (end: (key: SealingKey) => Promise<void>): StreamWork => {
  const keys = emptyKeyHistory();
  let generation = 0;
  return {
    receipt: ({ read, event }) => {
      const learned = learnKeys(keys, read);
      if (!learned.ok) throw new TypeError(`a receipt that was checked teaches no key: ${learned.error.detail}`);
      if (event.type === 'ACCOUNT_CREATED') generation = 1;
      if (event.type === 'IDENTITY_KEY_ROTATED' && event.payload.identityId === OPERATOR_IDENTITY_ID)
        generation = event.payload.keyGeneration;
    },
    end: async ({ whole }) => {
      const record = whole ? currentKey(keys) : null;
      if (record !== null) await end({ record, keyGeneration: generation });
    },
  };
};

const currentKey = (keys: ReturnType<typeof emptyKeyHistory>): KeyRecord | null => {
  const publicKeyId = keys.current.get(OPERATOR_IDENTITY_ID);
  return publicKeyId === undefined ? null : keyRecordOf(keys, { identityId: OPERATOR_IDENTITY_ID, publicKeyId });
};

const stateAfter = (before: StreamState, { read: { receipt }, event }: CheckedReceipt): StreamState => {
  const after = evolveStream(before, receipt.stream, event, {
    eventId: receipt.eventId,
    hash: receipt.hash,
    at: receipt.createdAt,
  });
  if (!after.ok) throw new TypeError(`a receipt that was checked cannot follow: ${after.error.detail}`);
  return after.value;
};

/** Before the whole ledger is read for nothing. */
const trySigner = async ({ signer, clock }: Parts, { record, keyGeneration }: SealingKey): Promise<void> => {
  const keyName = keyNameOf(record.identityId, keyGeneration);
  const trial = Buffer.from('pixpax/snapshot-signer-trial/v1');
  const raw = await withDeadline(clock, 'signer', limits.signTimeoutMs, () => signer.sign(keyName, trial));
  if (!verifySignature(record.key, trial, toLowS(raw)))
    throw new Outage(
      'signer',
      'signer-refused',
      `the signer’s ${keyName} is not the key ${record.publicKeyId} of the key history`,
    );
};
