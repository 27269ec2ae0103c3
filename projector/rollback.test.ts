import { describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { keyAt } from '../src/receipt/key-path.ts';
import { applicationOf, granted } from '../test/ledger-fixture.ts';
import { expectedDump, liveDatabase } from './projection.fixture.ts';
import { rebuild } from './rebuild.ts';
import { rollback } from './rollback.ts';
import { storeSource } from './store-source.ts';
import { objectsOf, smallLedger } from './tampering.fixture.ts';

const PAGE = `SELECT state::json ->> 'page' AS page FROM projection.pixbooks WHERE book_id = $1`;

describe('rollback', () => {
  it('brings back what was live before the rebuild, caught up, and can be undone', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA, bookB } = await smallLedger();
    await live.apply(ledger.receipts);
    // What tells the two apart.
    await live.pool.query(`UPDATE projection.pixbooks SET state = '{"page":77}' WHERE book_id = $1`, [bookA.bookId]);
    const objects = objectsOf(ledger.receipts);
    const options = { source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: ledger.trust };
    granted(await rebuild(options));

    const later = await ledger.save(bookB, { page: 5 });
    objects.set(keyAt(bookB, later.position), later.bytes);
    expect(await live.model.apply(applicationOf(later))).toBe('applied');

    expect(granted(await rollback(options))).toEqual({ wrongHeads: [], redone: 0 });
    expect((await live.pool.query(PAGE, [bookA.bookId])).rows).toEqual([{ page: '77' }]);
    expect((await live.pool.query(PAGE, [bookB.bookId])).rows).toEqual([{ page: '5' }]);
    expect(await live.schemas()).toEqual(['projection', 'projection_previous']);

    granted(await rollback(options));
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it.each([
    ['there is none', 'DROP SCHEMA projection_previous CASCADE', 'nothing-to-roll-back'],
    ['another version made it', `COMMENT ON SCHEMA projection_previous IS 'projector version 1'`, 'previous-not-usable'],
    ['it lacks a table', 'DROP TABLE projection_previous.codes', 'previous-not-usable'],
  ])('changes nothing when %s', async (_, sql, code) => {
    await using live = await liveDatabase();
    const { ledger } = await smallLedger();
    await live.apply(ledger.receipts);
    const options = { source: storeSource(memoryStore(objectsOf(ledger.receipts))), databaseUrl: live.url, trust: ledger.trust };
    granted(await rebuild(options));
    await live.pool.query(sql);
    expect(await rollback(options)).toMatchObject({ ok: false, error: { code } });
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it('from a projection of another version goes by what the store lists', async () => {
    await using live = await liveDatabase();
    const { ledger, bookB } = await smallLedger();
    await live.apply(ledger.receipts);
    const objects = objectsOf(ledger.receipts);
    const options = { source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: ledger.trust };
    granted(await rebuild(options));
    const later = await ledger.save(bookB, { page: 5 });
    objects.set(keyAt(bookB, later.position), later.bytes);
    // As if a newer program had made it, with tables of its own.
    await live.pool.query(`COMMENT ON SCHEMA projection IS 'projector version 99'; DROP TABLE projection.pixbook_ledger_heads`);
    granted(await rollback(options));
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  });
});
