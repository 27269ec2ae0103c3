import { describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { domainLedger } from '../test/domain-ledger.ts';
import { type FixtureLedger, granted } from '../test/ledger-fixture.ts';
import { withFresh } from './fresh-projection.ts';
import { openSource } from './open-source.ts';
import { expectedDump, liveDatabase } from './projection.fixture.ts';
import { rebuild } from './rebuild.ts';
import { storeSource } from './store-source.ts';
import { asDirectory, objectsOf, setText, smallLedger } from './tampering.fixture.ts';

const sourceOf = (ledger: FixtureLedger) => storeSource(memoryStore(objectsOf(ledger.receipts)));

describe('rebuild', () => {
  it('gives the rows that are live, byte for byte, and keeps the old ones aside', async () => {
    await using live = await liveDatabase();
    const { ledger } = await domainLedger();
    const receipts = ledger.receipts.length;
    const streams = new Set(ledger.receipts.map(({ receipt }) => prefixOf(receipt.stream))).size;
    await live.apply(ledger.receipts);
    const before = await live.dump();
    const report = granted(await rebuild({ source: sourceOf(ledger), databaseUrl: live.url, trust: ledger.trust }));
    expect(report).toMatchObject({
      live: 'whole',
      leftOut: 0,
      wrongHeads: [],
      drifted: false,
      ledger: { verdict: 'valid', receipts, streams },
    });
    expect(report.digests.map(({ equal, rows }) => [equal, rows > 0])).toEqual(report.digests.map(() => [true, true]));
    expect(await live.dump()).toEqual(before);
    expect(before).toEqual(expectedDump(ledger.receipts));
    expect(await live.schemas()).toEqual(['projection', 'projection_previous']);
    const { rows } = await live.pool.query('SELECT projector, streams, receipts FROM projection.projector_offsets');
    expect(rows).toEqual([{ projector: 'rebuild', streams, receipts }]);
    // The one kept aside goes when the next is put there.
    granted(await rebuild({ source: sourceOf(ledger), databaseUrl: live.url, trust: null }));
    expect(await live.schemas()).toEqual(['projection', 'projection_previous']);
  });

  it('makes the entries of the redo outbox again that were lost', async () => {
    await using live = await liveDatabase();
    const { ledger, reserved, a } = await domainLedger();
    await live.apply(ledger.receipts);
    const open = 'SELECT event_id, kind FROM ops.redo_outbox WHERE done_at IS NULL';
    await live.pool.query('DELETE FROM ops.redo_outbox');
    const report = granted(await rebuild({ source: sourceOf(ledger), databaseUrl: live.url, trust: null }));
    const reservation = ledger
      .receiptsOf(a.book)
      .find(({ receipt }) => receipt.type === 'CARD_TRADE_RESERVED' && receipt.payload.tradeId === reserved);
    const expected = [{ event_id: reservation?.receipt.eventId, kind: 'complete-trade' }];
    expect((await live.pool.query(open)).rows).toEqual(expected);
    expect(report).toMatchObject({ redone: 1, drifted: false });
    expect(granted(await rebuild({ source: sourceOf(ledger), databaseUrl: live.url, trust: null })).redone).toBe(0);
  });

  it('loads from a directory in threads of its own', async () => {
    await using live = await liveDatabase();
    const { ledger } = await domainLedger();
    using directory = asDirectory(objectsOf(ledger.receipts));
    const source = await openSource({ location: { kind: 'file', directory: directory.path }, credentials: null, durable: true });
    const report = granted(await rebuild({ source, databaseUrl: live.url, trust: null, threads: 2 }));
    await source.close();
    expect(report).toMatchObject({ live: 'empty', drifted: false, digests: [] });
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it.each([
    ['an empty database', { empty: true }, null, 'missing', ['projection']],
    ['a wiped projection', {}, 'DROP SCHEMA projection CASCADE', 'missing', ['projection']],
    [
      'a projection of another version',
      {},
      `COMMENT ON SCHEMA projection IS 'projector version 0'`,
      'other',
      ['projection', 'projection_previous'],
    ],
    ['a projection that lacks a table', {}, 'DROP TABLE projection.receipts', 'other', ['projection', 'projection_previous']],
  ] as const)('fills %s', async (_, options, sql, state, schemas) => {
    await using live = await liveDatabase(options);
    const { ledger } = await smallLedger();
    if (sql !== null) {
      await live.apply(ledger.receipts);
      await live.pool.query(sql);
    }
    const report = granted(await rebuild({ source: sourceOf(ledger), databaseUrl: live.url, trust: null }));
    expect(report).toMatchObject({ live: state, drifted: false, digests: [] });
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
    expect(await live.schemas()).toEqual(schemas);
    await live.model.check();
    await expect(live.pool.query('SELECT FROM ops.redo_outbox')).resolves.toMatchObject({ rowCount: 0 });
  });

  it('makes tables with the keys and indexes of schema.sql', async () => {
    await using live = await liveDatabase();
    const { ledger } = await smallLedger();
    const shape = async () =>
      (
        await live.pool.query<{ made: string }>(
          `SELECT pg_get_indexdef(indexrelid) AS made FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relnamespace = 'projection'::regnamespace
           UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'projection'::regnamespace ORDER BY 1`,
        )
      ).rows;
    const before = await shape();
    granted(await rebuild({ source: sourceOf(ledger), databaseUrl: live.url, trust: null }));
    expect(await shape()).toEqual(before);
  });

  it('tells what had drifted, and puts it right', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA, bookB } = await smallLedger();
    await live.apply(ledger.receipts);
    await live.pool.query(`UPDATE projection.pixbooks SET state = '{"page":9}' WHERE book_id = $1`, [bookA.bookId]);
    await live.pool.query(`UPDATE projection.pixbook_ledger_heads SET position = 7 WHERE book_id = $1`, [bookB.bookId]);
    const report = granted(await rebuild({ source: sourceOf(ledger), databaseUrl: live.url, trust: null }));
    expect(report).toMatchObject({
      drifted: true,
      leftOut: 1,
      wrongHeads: [{ stream: prefixOf(bookB), kind: 'ahead', live: { position: 7 } }],
    });
    expect(report.digests.filter(({ equal }) => !equal).map(({ table }) => table)).toEqual(['pixbooks']);
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it('changes nothing when the store has lost the end of a stream: only the live projection knows of it', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA } = await smallLedger();
    await live.apply(ledger.receipts);
    const before = await live.dump();
    const objects = objectsOf(ledger.receipts);
    const last = ledger.receiptsOf(bookA).length - 1;
    objects.delete(keyAt(bookA, last));
    const refused = await rebuild({ source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: null });
    expect(refused).toMatchObject({
      error: {
        code: 'ledger-not-valid',
        ledger: { verdict: 'incomplete', faults: [{ key: keyAt(bookA, last), code: 'missing' }] },
      },
    });
    expect(await live.dump()).toEqual(before);
  });

  it('changes nothing when the ledger is not valid', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA } = await smallLedger();
    await live.apply(ledger.receipts);
    const before = await live.dump();
    const objects = objectsOf(ledger.receipts);
    setText(objects, bookA, 2, '{}');
    const refused = await rebuild({ source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: null });
    expect(refused).toMatchObject({
      ok: false,
      error: { code: 'ledger-not-valid', ledger: { verdict: 'invalid', faults: [{ key: keyAt(bookA, 2), code: 'members' }] } },
    });
    objects.delete(keyAt(bookA, 2));
    expect(await rebuild({ source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: null })).toMatchObject({
      ok: false,
      error: { ledger: { verdict: 'incomplete', faults: [{ key: keyAt(bookA, 2), code: 'missing' }] } },
    });
    expect(await live.dump()).toEqual(before);
    expect(await live.schemas()).toEqual(['projection']);
  });

  it('runs once at a time, and clears what a run that died left behind', async () => {
    await using live = await liveDatabase();
    const { ledger } = await smallLedger();
    await live.pool.query(
      'CREATE SCHEMA projection_next; CREATE TABLE projection_next.pixbooks (half text); CREATE SCHEMA projection_drift',
    );
    const options = { source: sourceOf(ledger), databaseUrl: live.url, trust: null };
    const during = await withFresh('projection_other', options, () => rebuild(options));
    expect(granted(during)).toMatchObject({ ok: false, error: { code: 'already-running' } });
    expect(granted(await rebuild(options))).toMatchObject({ live: 'empty' });
    expect(await live.schemas()).toEqual(['projection', 'projection_previous']);
  });
});
