import { describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { eventIdAt, keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { collectionId, granted } from '../test/ledger-fixture.ts';
import { drift } from './drift.ts';
import { type LiveDatabase, liveDatabase } from './projection.fixture.ts';
import { storeSource } from './store-source.ts';
import { type SmallLedger, objectsOf, setText, smallLedger } from './tampering.fixture.ts';

const driftOf = async (live: LiveDatabase, { ledger }: SmallLedger) =>
  granted(
    await drift({ source: storeSource(memoryStore(objectsOf(ledger.receipts))), databaseUrl: live.url, trust: ledger.trust }),
  );

describe('drift', () => {
  it('finds none where every row is what the receipts say, and leaves nothing behind', async () => {
    await using live = await liveDatabase();
    const small = await smallLedger();
    await live.apply(small.ledger.receipts);
    expect(await driftOf(live, small)).toMatchObject({ live: 'whole', heads: [], rows: [], rowCount: 0, drifted: false });
    expect(await live.schemas()).toEqual(['projection']);
  });

  it('names a changed, a missing and an extra row, each by table and key', async () => {
    await using live = await liveDatabase();
    const small = await smallLedger();
    const { a, bookA, bookB } = small;
    const [streamA, streamB, account] = [prefixOf(bookA), prefixOf(bookB), prefixOf(a)];
    await live.apply(small.ledger.receipts);
    await live.pool.query(`UPDATE projection.pixbooks SET state = '{"page": 4}', status = 'closed' WHERE book_id = $1`, [
      bookA.bookId,
    ]);
    await live.pool.query('DELETE FROM projection.receipts WHERE event_id = $1', [eventIdAt(bookB, 1)]);
    await live.pool.query(`INSERT INTO projection.account_members VALUES ($1, 'mallory', 'owner', now())`, [a.accountId]);
    const report = await driftOf(live, small);
    expect(report).toMatchObject({ heads: [], rowCount: 3, drifted: true });
    expect(report.rows).toHaveLength(3);
    expect(report.rows).toEqual(
      expect.arrayContaining([
        { stream: streamA, table: 'pixbooks', key: { book_id: bookA.bookId }, kind: 'changed', columns: ['status', 'state'] },
        { stream: streamB, table: 'receipts', key: { event_id: eventIdAt(bookB, 1) }, kind: 'missing', columns: [] },
        {
          stream: account,
          table: 'account_members',
          key: { account_id: a.accountId, user_id: 'mallory' },
          kind: 'extra',
          columns: [],
        },
      ]),
    );
  });

  it('tells heads that stay behind, ahead or different from appends in flight', async () => {
    await using live = await liveDatabase();
    const small = await smallLedger();
    const { ledger, bookA, bookB, a, anna } = small;
    await live.apply(ledger.receipts);
    const unseen = await ledger.save(bookA, { page: 5 });
    await live.pool.query('UPDATE projection.pixbook_ledger_heads SET position = 9 WHERE book_id = $1', [bookB.bookId]);
    const late = await ledger.createPixbook(a.accountId, anna, collectionId('late'));
    // Applied once the comparison has begun.
    const applying: Promise<void>[] = [];
    const report = granted(
      await drift({
        source: storeSource(memoryStore(objectsOf(ledger.receipts))),
        databaseUrl: live.url,
        trust: null,
        onProgress: ({ receipts }) => {
          if (receipts === ledger.receipts.length && applying.length === 0) applying.push(live.apply(ledger.receiptsOf(late)));
        },
      }),
    );
    expect(applying).toHaveLength(1);
    await Promise.all(applying);
    expect(report.heads).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ stream: prefixOf(bookA), kind: 'behind', live: { position: 4, hash: expect.any(String) } }),
        expect.objectContaining({ stream: prefixOf(bookB), kind: 'ahead' }),
      ]),
    );
    expect(report.heads).toHaveLength(2);
    expect(report.rows).toContainEqual({
      stream: prefixOf(bookA),
      table: 'receipts',
      key: { event_id: unseen.receipt.eventId },
      kind: 'missing',
      columns: [],
    });
  });

  it('is total where there is no projection', async () => {
    await using live = await liveDatabase({ empty: true });
    expect(await driftOf(live, await smallLedger())).toMatchObject({ live: 'missing', drifted: true });
  });

  it('is not looked for in a ledger that is not valid', async () => {
    await using live = await liveDatabase();
    const { ledger, bookB } = await smallLedger();
    const objects = objectsOf(ledger.receipts);
    setText(objects, bookB, 0, 'x');
    expect(await drift({ source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: null })).toMatchObject({
      ok: false,
      error: { code: 'ledger-not-valid', ledger: { faults: [{ key: keyAt(bookB, 0) }] } },
    });
    expect(await live.schemas()).toEqual(['projection']);
  });
});
