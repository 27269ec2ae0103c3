import { granted } from '../../test/ledger-fixture.ts';
import type { SignedLedger } from '../../test/signed-ledger.ts';
import { type MemoryObjects, memoryStore } from '../adapter/memory/receipt-store.ts';
import { memorySigner } from '../adapter/memory/signer.ts';
import { systemClock } from '../port/clock.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import { type KeyName, keyNameOf } from '../port/signer.ts';
import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, type PublicKeyId } from '../receipt/ids.ts';
import { emptyKeyHistory, keyRecordOf, learnKeys } from '../receipt/key-history.ts';
import { keyAt, snapshotKeyOf } from '../receipt/key-path.ts';
import { readReceipt } from '../receipt/read.ts';
import { type StreamOf, accountStream } from '../receipt/stream.ts';
import { eventOf } from '../stream/event.ts';
import { type StreamState, emptyStream, evolveStream, isPixbookEvent } from '../stream/fold.ts';
import { type BookAt, bookAfter } from './book-at.ts';
import { type ColdOutcome, type ColdReads, coldReads } from './cold-reads.ts';
import { type SealingKey, sealSnapshot } from './seal-snapshot.ts';

export type Book = StreamOf<'pixbook'>;
type Ledger = Pick<SignedLedger, 'receipts' | 'receiptsOf' | 'generationOf'> & { readonly trust: PublicKeyId };

/** A ledger in a store, snapshots of its books, and readers that have nothing else. */
export const coldWorld = (ledger: Ledger) => {
  const objects: MemoryObjects = new Map(
    ledger.receipts.map(({ receipt, position, bytes }) => [keyAt(receipt.stream, position), bytes]),
  );
  const store = memoryStore(objects);

  /** The book as the fixture's receipts give it, whatever the store holds. */
  const bookAt = (stream: Book, position: number): BookAt => {
    let state: StreamState = emptyStream(stream);
    let book: BookAt | null = null;
    for (const { bytes, position: at } of ledger.receiptsOf(stream).slice(0, position + 1)) {
      const stored = granted(readReceipt(bytes, keyAt(stream, at)));
      const { receipt } = stored;
      const event = granted(eventOf(receipt));
      state = granted(evolveStream(state, stream, event, { ...receipt, at: receipt.createdAt }));
      if (state.type !== 'pixbook' || state.state.status === 'absent' || !isPixbookEvent(event))
        throw new TypeError('no pixbook');
      book = bookAfter(book, stream, stored, event, state.state);
    }
    if (book === null) throw new RangeError('there is no such book');
    return book;
  };

  /** The operator's key of a generation, as its stream introduced it. */
  const operatorKey = (
    keyGeneration = ledger.generationOf({ accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID }),
  ) => {
    const history = emptyKeyHistory();
    const introduced: PublicKeyId[] = [];
    for (const stored of ledger.receiptsOf(accountStream(OPERATOR_ACCOUNT_ID))) {
      granted(learnKeys(history, stored));
      const current = history.current.get(OPERATOR_IDENTITY_ID);
      if (current !== undefined && introduced.at(-1) !== current) introduced.push(current);
    }
    const publicKeyId = introduced[keyGeneration - 1];
    const record = publicKeyId === undefined ? null : keyRecordOf(history, { identityId: OPERATOR_IDENTITY_ID, publicKeyId });
    if (record === null) throw new RangeError('the operator has no such key');
    return { record, keyGeneration } satisfies SealingKey;
  };

  const signer = memorySigner();
  const seal = async (book: BookAt, key: SealingKey = operatorKey()): Promise<Uint8Array> => {
    await signer.createKey(keyNameOf(key.record.identityId, key.keyGeneration));
    return granted(await sealSnapshot({ signer, clock: systemClock }, key, book));
  };

  return {
    objects,
    store,
    bookAt,
    seal,
    operatorKey,
    /** Signs with any key there is. */
    signWith: async (name: KeyName, message: Uint8Array): Promise<Uint8Array> => {
      await signer.createKey(name);
      return signer.sign(name, message);
    },
    put: async (stream: Book, position: number): Promise<void> => {
      objects.set(snapshotKeyOf(stream), await seal(bookAt(stream, position)));
    },
    /** A process that has read nothing yet, and what it notes. */
    open: (from: Pick<ReceiptStore, 'read'> = store): ColdReads & { readonly outcomes: ColdOutcome[] } => {
      const outcomes: ColdOutcome[] = [];
      const noted = (outcome: ColdOutcome): void => void outcomes.push(outcome);
      return { ...coldReads({ store: from, clock: systemClock, trust: ledger.trust, noted }), outcomes };
    },
  };
};

export type ColdWorld = ReturnType<typeof coldWorld>;
