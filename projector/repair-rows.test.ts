import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MemoryObjects, memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { eventIdAt, keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { codeStream, collectionStream } from '../src/receipt/stream.ts';
import { domainLedger } from '../test/domain-ledger.ts';
import { applicationOf, granted } from '../test/ledger-fixture.ts';
import { type LedgerScope, scopeBelow, scopeOfAccount } from './ledger-scope.ts';
import { type LiveDatabase, expectedDump, liveDatabase } from './projection.fixture.ts';
import { repairDatabase } from './repair-database.ts';
import { storeSource } from './store-source.ts';
import { type SmallLedger, objectsOf, setText, smallLedger } from './tampering.fixture.ts';

/** Damage to bookA's rows, and what a repair of rows does about it. */
const damages: readonly (readonly [string, (small: SmallLedger) => string])[] = [
  ['a changed row', ({ bookA }) => `UPDATE projection.pixbooks SET state = '{"page":9}' WHERE book_id = '${bookA.bookId}'`],
  ['a row that lacks', ({ bookA }) => `DELETE FROM projection.receipts WHERE event_id = '${eventIdAt(bookA, 1)}'`],
  [
    'a row that no receipt makes',
    ({ bookA: { bookId, accountId } }) =>
      `INSERT INTO projection.card_instances VALUES ('${bookId}', 'ci_x', '${accountId}', 'c', NULL, 'grant', 'x', 'infinity')`,
  ],
  [
    'a row that went to another account',
    ({ bookA, b }) => `UPDATE projection.pixbooks SET account_id = '${b.accountId}' WHERE book_id = '${bookA.bookId}'`,
  ],
  [
    'receipts under ids that are not theirs',
    ({ bookA }) =>
      `UPDATE projection.receipts SET event_id = 'X', stream = 'pixpax/codes/cod_x' WHERE event_id = '${eventIdAt(bookA, 2)}'`,
  ],
  [
    'idempotency keys that changed places',
    ({ bookA }) =>
      `UPDATE projection.receipts AS r SET idempotency_digest = sha256(o.idempotency_digest), hash = o.hash FROM projection.receipts AS o
       WHERE r.event_id = '${eventIdAt(bookA, 2)}' AND o.event_id = '${eventIdAt(bookA, 3)}'`,
  ],
  [
    'another receipt applied',
    ({ bookA }) => `UPDATE projection.pixbook_ledger_heads SET hash = 'sha256:x' WHERE book_id = '${bookA.bookId}'`,
  ],
  [
    'a head beyond what there is',
    ({ bookA }) => `UPDATE projection.pixbook_ledger_heads SET position = 9 WHERE book_id = '${bookA.bookId}'`,
  ],
  [
    'a head that was set back',
    ({ bookA }) => `UPDATE projection.pixbook_ledger_heads SET position = 1 WHERE book_id = '${bookA.bookId}'`,
  ],
  ['a head that lacks', ({ bookA }) => `DELETE FROM projection.pixbook_ledger_heads WHERE book_id = '${bookA.bookId}'`],
  [
    'a stream whose rows are gone, but for its head',
    ({ bookA }) =>
      `WITH gone AS (DELETE FROM projection.receipts WHERE stream = '${prefixOf(bookA)}')
       DELETE FROM projection.pixbooks WHERE book_id = '${bookA.bookId}'`,
  ],
];

const repairOf = async (
  live: LiveDatabase,
  objects: MemoryObjects,
  trust: SmallLedger['ledger']['trust'],
  scope: LedgerScope | null,
  rows = true,
) => granted(await repairDatabase({ source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust, scope, rows }));

describe('the repair of rows', () => {
  let small: SmallLedger;
  let live: LiveDatabase;
  beforeAll(async () => {
    small = await smallLedger();
    live = await liveDatabase();
    await live.apply(small.ledger.receipts);
  });
  afterAll(() => live[Symbol.asyncDispose]());

  it.each(damages)('mends %s, and no row of another stream', async (_, damage) => {
    const { ledger, a, b, bookA, bookB } = small;
    await live.pool.query(damage(small));
    // Other damage, which was not asked about, stays.
    await live.pool.query(`UPDATE projection.pixbooks SET status = 'closed' WHERE book_id = $1`, [bookB.bookId]);
    const objects = objectsOf(ledger.receipts);
    const report = await repairOf(live, objects, ledger.trust, scopeOfAccount(a.accountId));
    expect(report).toMatchObject({
      ledger: { verdict: 'valid' },
      applied: 0,
      unmended: [],
      rows: { mended: [expect.anything()] },
    });
    expect(report.rows?.mended.map(({ stream }) => stream)).toEqual([prefixOf(bookA)]);
    expect(await statusOf(bookB.bookId)).toBe('closed');
    const other = await repairOf(live, objects, ledger.trust, scopeOfAccount(b.accountId));
    expect(other.rows?.mended).toEqual([{ stream: prefixOf(bookB), removed: 1, written: 1 }]);
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  });

  const statusOf = async (bookId: string) =>
    (await live.pool.query<{ status: string }>('SELECT status FROM projection.pixbooks WHERE book_id = $1', [bookId])).rows[0]
      ?.status;

  it('touches nothing where nothing differs', async () => {
    const { ledger } = small;
    const before = await versionsOf(live);
    expect(await repairOf(live, objectsOf(ledger.receipts), ledger.trust, null)).toMatchObject({ rows: { mended: [] } });
    expect(await versionsOf(live)).toEqual(before);
  });

  it('is not needed to go on past a stream whose rows are damaged, which is named', async () => {
    await using other = await liveDatabase();
    const { ledger, bookA, bookB } = small;
    await other.apply(ledger.receipts.filter(({ position, receipt }) => receipt.stream.type !== 'pixbook' || position < 1));
    await other.pool.query('DELETE FROM projection.pixbooks WHERE book_id = $1', [bookA.bookId]);
    const objects = objectsOf(ledger.receipts);
    expect(await repairOf(other, objects, ledger.trust, null, false)).toMatchObject({
      unmended: [{ stream: prefixOf(bookA), position: 1, code: 'rows' }],
      rows: null,
    });
    expect(await repairOf(other, objects, ledger.trust, scopeBelow(prefixOf(bookB)), false)).toMatchObject({
      applied: 0,
      unmended: [],
    });
    const mended = await repairOf(other, objects, ledger.trust, scopeBelow(prefixOf(bookA)));
    expect(mended).toMatchObject({ unmended: [], rows: { mended: [{ stream: prefixOf(bookA) }] } });
    expect(await other.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it('leaves a stream as it is of which the rows know a receipt that the store has lost', async () => {
    await using other = await liveDatabase();
    const { ledger, bookA, bookB } = small;
    await other.apply(ledger.receipts);
    await other.pool.query(`UPDATE projection.pixbooks SET status = 'closed' WHERE book_id = $1`, [bookA.bookId]);
    const before = await other.dump();
    const objects = objectsOf(ledger.receipts);
    objects.delete(keyAt(bookA, 4));
    for (const position of [0, 1, 2]) objects.delete(keyAt(bookB, position));
    const report = await repairOf(other, objects, ledger.trust, scopeBelow('pixpax'));
    expect(report).toMatchObject({ rows: { mended: [] } });
    expect(report.unmended).toEqual(
      expect.arrayContaining([
        { stream: prefixOf(bookA), position: 4, code: 'ahead' },
        { stream: prefixOf(bookB), position: 2, code: 'ahead' },
      ]),
    );
    expect(await other.dump()).toEqual(before);
  });

  it('leaves a stream at fault as it is', async () => {
    await using other = await liveDatabase();
    const { ledger, bookA } = small;
    await other.apply(ledger.receipts);
    await other.pool.query(`UPDATE projection.pixbooks SET status = 'closed' WHERE book_id = $1`, [bookA.bookId]);
    const before = await other.dump();
    const objects = objectsOf(ledger.receipts);
    setText(objects, bookA, 1, '{"poison":true}');
    expect(await repairOf(other, objects, ledger.trust, scopeBelow(prefixOf(bookA)))).toMatchObject({
      ledger: { verdict: 'invalid', faults: [{ key: keyAt(bookA, 1) }] },
      rows: { mended: [] },
    });
    expect(await other.dump()).toEqual(before);
  });

  it('leaves every row as it was when it ends between taking away and writing', async () => {
    await using other = await liveDatabase();
    const { ledger, bookA } = small;
    await other.apply(ledger.receipts);
    await other.pool.query(`UPDATE projection.pixbooks SET status = 'closed' WHERE book_id = $1`, [bookA.bookId]);
    await other.pool.query(`UPDATE projection.receipts SET type = 'X' WHERE event_id = $1`, [eventIdAt(bookA, 1)]);
    const before = await other.dump();
    // Postgres is shut down when the rows that are wrong were taken away, and the first is to be written.
    await other.pool.query(`
      CREATE FUNCTION projection.die() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION USING ERRCODE = '57P01', MESSAGE = 'terminated'; END $$;
      CREATE TRIGGER die BEFORE INSERT ON projection.receipts FOR EACH ROW EXECUTE FUNCTION projection.die()`);
    await expect(repairOf(other, objectsOf(ledger.receipts), ledger.trust, scopeBelow(prefixOf(bookA)))).rejects.toMatchObject({
      code: 'postgres-unavailable',
    });
    expect(await other.dump()).toEqual(before);
    await other.pool.query('DROP TRIGGER die ON projection.receipts');
    await repairOf(other, objectsOf(ledger.receipts), ledger.trust, scopeBelow(prefixOf(bookA)));
    expect(await other.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it('lets appends to the stream wait, and loses none', async () => {
    await using other = await liveDatabase();
    const mine = await smallLedger();
    const { ledger, bookA } = mine;
    await other.apply(ledger.receipts);
    const objects = objectsOf(ledger.receipts);
    const store = memoryStore(objects);
    for (let round = 0; round < 5; round++) {
      await other.pool.query(`UPDATE projection.pixbooks SET status = 'closed' WHERE book_id = $1`, [bookA.bookId]);
      const repairing = repairOf(other, objects, ledger.trust, scopeBelow(prefixOf(bookA)));
      for (let page = 0; page < 10; page++) {
        const stored = await ledger.save(bookA, { round, page });
        await store.create(keyAt(bookA, stored.position), stored.bytes);
        expect(await other.model.apply(applicationOf(stored))).toBe('applied');
      }
      await repairing;
    }
    await repairOf(other, objects, ledger.trust, scopeBelow(prefixOf(bookA)));
    expect(await other.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it('makes rows of every kind of stream again, and what must still follow from them', async () => {
    await using other = await liveDatabase();
    const d = await domainLedger();
    const { ledger, collectionId, codes } = d;
    const code = codeStream(codes.used);
    const claim = ledger.receiptsOf(code).length - 1;
    await other.apply(
      ledger.receipts.filter(({ receipt, position }) => prefixOf(receipt.stream) !== prefixOf(code) || position < claim),
    );
    await other.pool.query(`DELETE FROM projection.codes WHERE code_id = $1`, [codes.used]);
    await other.pool.query(`DELETE FROM projection.drops WHERE collection_id = $1`, [collectionId]);
    await other.pool.query(`DELETE FROM projection.identities`);
    await other.pool.query(`UPDATE projection.trades SET status = 'declined'`);
    await other.pool.query(`DELETE FROM ops.redo_outbox`);
    const report = await repairOf(other, objectsOf(ledger.receipts), ledger.trust, null);
    expect(report.unmended).toEqual([]);
    expect(report.rows?.mended.map(({ stream }) => stream)).toEqual(
      expect.arrayContaining([prefixOf(code), prefixOf(collectionStream(collectionId)), prefixOf(d.a.book)]),
    );
    expect(await other.dump()).toEqual(expectedDump(ledger.receipts));
    const { rows } = await other.pool.query<{ kind: string }>('SELECT kind FROM ops.redo_outbox');
    expect(rows).toEqual([{ kind: 'issue-code-pack' }]);
  });
});

/** Which version of each row there is: a row that was written again has another. */
const versionsOf = async ({ pool }: LiveDatabase): Promise<readonly string[]> => {
  const tables = ['receipts', 'pixbooks', 'accounts', 'pixbook_ledger_heads', 'account_ledger_heads'];
  const parts = tables.map(
    (table) => `SELECT '${table} ' || ctid::text || ' ' || xmin::text AS version FROM projection.${table}`,
  );
  return (await pool.query<{ version: string }>(`${parts.join(' UNION ALL ')} ORDER BY 1`)).rows.map(({ version }) => version);
};
