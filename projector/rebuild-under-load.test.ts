import { expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import type { ApplyOutcome } from '../src/port/read-model.ts';
import { keyAt } from '../src/receipt/key-path.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import type { StreamOf } from '../src/receipt/stream.ts';
import { applicationOf, collectionId, granted, idempotencyKey } from '../test/ledger-fixture.ts';
import { audit } from './audit.ts';
import { expectedDump, liveDatabase } from './projection.fixture.ts';
import { rebuild } from './rebuild.ts';
import { storeSource } from './store-source.ts';
import { ANN, objectsOf, smallLedger } from './tampering.fixture.ts';

it('swaps the projection under writers and readers: none fails, nothing is lost, and no head goes backwards', async () => {
  await using live = await liveDatabase();
  const { ledger, a, anna, bookA, bookB } = await smallLedger();
  await live.apply(ledger.receipts);
  const objects = objectsOf(ledger.receipts);
  const outcomes = new Map<ApplyOutcome, number>();
  let rebuilding = true;

  /** As the append does: durable first, applied after. */
  const commit = async (stored: StoredReceipt) => {
    objects.set(keyAt(stored.receipt.stream, stored.position), stored.bytes);
    const outcome = await live.model.apply(applicationOf(stored));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };
  const write = async (book: StreamOf<'pixbook'>) => {
    while (rebuilding) await commit(await ledger.save(book, { at: ledger.receipts.length }));
  };
  const openBooks = async () => {
    for (let n = 0; rebuilding; n++) {
      const before = ledger.receipts.length;
      const book = await ledger.createPixbook(a.accountId, anna, collectionId(`collection ${n}`));
      await ledger.save(book, { n });
      if (n % 20 === 0) await ledger.rotateKey(a.accountId, anna, ANN);
      for (const stored of ledger.receipts.slice(before)) {
        const { stream } = stored.receipt;
        if (stream.type === 'account' || (stream.type === 'pixbook' && stream.bookId === book.bookId)) await commit(stored);
      }
    }
  };
  const watch = async (book: StreamOf<'pixbook'>) => {
    let last = -1;
    let views = 0;
    while (rebuilding) {
      const { head } = await live.model.pixbookView({
        stream: book,
        idempotencyKey: idempotencyKey('none'),
        userId: null,
        identityId: null,
      });
      expect(head?.position ?? -1).toBeGreaterThanOrEqual(last);
      last = head?.position ?? -1;
      views++;
    }
    return views;
  };

  const atWork = Promise.all([write(bookB), openBooks(), watch(bookA), watch(bookB)]);
  const store = memoryStore(objects);
  const reports = [];
  try {
    for (let n = 0; n < 3; n++)
      reports.push(granted(await rebuild({ source: storeSource(store), databaseUrl: live.url, trust: ledger.trust })));
  } finally {
    rebuilding = false;
  }
  const [, , views] = await atWork;

  expect(views).toBeGreaterThan(0);
  expect([...outcomes.keys()].filter((outcome) => outcome !== 'applied' && outcome !== 'already')).toEqual([]);
  expect(reports).toMatchObject([{ drifted: false }, { drifted: false }, { drifted: false }]);
  expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  const projections = [{ dump: await live.dump(), caughtUp: true }];
  expect(await audit({ store, trust: ledger.trust, acknowledged: [], projections })).toEqual([]);
});
