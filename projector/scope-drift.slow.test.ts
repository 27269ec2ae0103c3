import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { parseAccountId } from '../src/receipt/ids.ts';
import { eventIdAt, keyAt, prefixOf } from '../src/receipt/key-path.ts';
import type { StreamOf } from '../src/receipt/stream.ts';
import { collectionId, granted } from '../test/ledger-fixture.ts';
import { drift } from './drift.ts';
import { type LedgerScope, scopeBelow, scopeOfAccount } from './ledger-scope.ts';
import { type LiveDatabase, liveDatabase } from './projection.fixture.ts';
import { storeSource } from './store-source.ts';
import { type SmallLedger, objectsOf, setText, smallLedger } from './tampering.fixture.ts';

type World = { readonly small: SmallLedger; readonly live: LiveDatabase };

/** What was done to a projection, and how drift names it. */
type Damage = {
  readonly title: string;
  readonly sql: (small: SmallLedger) => string;
  /** Of bookA, each. */
  readonly rows: (small: SmallLedger) => readonly object[];
  readonly heads?: readonly object[];
};

const damages: readonly Damage[] = [
  {
    title: 'a changed row',
    sql: ({ bookA }) => `UPDATE projection.pixbooks SET status = 'closed' WHERE book_id = '${bookA.bookId}'`,
    rows: ({ bookA }) => [{ table: 'pixbooks', key: { book_id: bookA.bookId }, kind: 'changed', columns: ['status'] }],
  },
  {
    title: 'a row that lacks',
    sql: ({ bookA }) => `DELETE FROM projection.receipts WHERE event_id = '${eventIdAt(bookA, 1)}'`,
    rows: ({ bookA }) => [{ table: 'receipts', key: { event_id: eventIdAt(bookA, 1) }, kind: 'missing', columns: [] }],
  },
  {
    title: 'a row that no receipt makes',
    sql: ({ bookA }) =>
      `INSERT INTO projection.card_instances VALUES ('${bookA.bookId}', 'ci_x', '${bookA.accountId}', 'c', NULL, 'grant', 'x', 'infinity')`,
    rows: ({ bookA }) => [
      { table: 'card_instances', key: { book_id: bookA.bookId, instance_id: 'ci_x' }, kind: 'extra', columns: [] },
    ],
  },
  {
    title: 'another receipt applied',
    sql: ({ bookA }) =>
      `UPDATE projection.pixbook_ledger_heads SET hash = 'sha256:${'0'.repeat(64)}' WHERE book_id = '${bookA.bookId}'`,
    rows: ({ bookA }) => [{ table: 'pixbook_ledger_heads', key: { book_id: bookA.bookId }, kind: 'changed', columns: ['hash'] }],
    heads: [{ kind: 'different', live: { position: 4 }, fresh: { position: 4 } }],
  },
  {
    title: 'a head beyond what there is',
    sql: ({ bookA }) => `UPDATE projection.pixbook_ledger_heads SET position = 9 WHERE book_id = '${bookA.bookId}'`,
    rows: ({ bookA }) => [
      { table: 'pixbook_ledger_heads', key: { book_id: bookA.bookId }, kind: 'changed', columns: ['position'] },
    ],
    heads: [{ kind: 'ahead', live: { position: 9 }, fresh: { position: 4 } }],
  },
  {
    title: 'a head that lacks',
    sql: ({ bookA }) => `DELETE FROM projection.pixbook_ledger_heads WHERE book_id = '${bookA.bookId}'`,
    rows: ({ bookA }) => [{ table: 'pixbook_ledger_heads', key: { book_id: bookA.bookId }, kind: 'missing', columns: [] }],
    heads: [{ kind: 'behind', live: null, fresh: { position: 4 } }],
  },
];

describe('drift of a scope', () => {
  let small: SmallLedger;
  beforeAll(async () => {
    small = await smallLedger();
  });

  const driftOf = async ({ small: { ledger }, live }: World, scope: LedgerScope | null) =>
    granted(await drift({ source: sourceOf({ ledger }), databaseUrl: live.url, trust: ledger.trust, scope }));
  const sourceOf = ({ ledger }: Pick<SmallLedger, 'ledger'>) => storeSource(memoryStore(objectsOf(ledger.receipts)));
  const accountOf = ({ accountId }: StreamOf<'account'>) => scopeOfAccount(accountId);

  describe('where one stream was damaged', () => {
    let live: LiveDatabase;
    beforeAll(async () => {
      live = await liveDatabase();
      await live.apply(small.ledger.receipts);
    });
    afterAll(() => live[Symbol.asyncDispose]());

    it.each(damages)('names $title by stream, by account and in all, and finds nothing elsewhere', async (damage) => {
      const { bookA, bookB, a, b } = small;
      await live.pool.query(damage.sql(small));
      const expected = {
        live: 'whole',
        heads: (damage.heads ?? []).map((head) => ({ stream: prefixOf(bookA), ...head })),
        rows: damage.rows(small).map((row) => ({ stream: prefixOf(bookA), ...row })),
        drifted: true,
      };
      for (const scope of [scopeBelow(prefixOf(bookA)), accountOf(a), scopeBelow('pixpax/pixbooks'), scopeBelow('pixpax'), null])
        expect(await driftOf({ small, live }, scope)).toMatchObject(expected);
      for (const scope of [scopeBelow(prefixOf(bookB)), accountOf(b), scopeBelow('pixpax/accounts')])
        expect(await driftOf({ small, live }, scope)).toMatchObject({ heads: [], rows: [], rowCount: 0, drifted: false });
      await mend(live, small);
    });
  });

  it('tells a stream that stays behind, without the rows that come with what it lacks', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA, bookB } = small;
    await live.apply(
      ledger.receipts.filter(({ receipt, position }) => prefixOf(receipt.stream) !== prefixOf(bookA) || position < 2),
    );
    expect(await driftOf({ small, live }, scopeBelow(prefixOf(bookA)))).toMatchObject({
      heads: [{ stream: prefixOf(bookA), kind: 'behind', live: { position: 1 }, fresh: { position: 4 } }],
      rows: [],
      drifted: true,
    });
    expect(await driftOf({ small, live }, scopeBelow(prefixOf(bookB)))).toMatchObject({ drifted: false });
  });

  it('takes receipts that are applied while it looks for no drift, in streams that were there and in new ones', async () => {
    await using live = await liveDatabase();
    const { ledger, a, anna, bookA } = await smallLedger();
    await live.apply(ledger.receipts);
    const before = ledger.receipts.length;
    await ledger.save(bookA, { page: 5 });
    const late = await ledger.createPixbook(a.accountId, anna, collectionId('late'));
    await ledger.save(late, { page: 1 });
    const applying: Promise<void>[] = [];
    const report = granted(
      await drift({
        source: storeSource(memoryStore(objectsOf(ledger.receipts))),
        ...{ databaseUrl: live.url, trust: ledger.trust, scope: scopeOfAccount(a.accountId) },
        onProgress: () => {
          if (applying.length === 0) applying.push(live.apply(ledger.receipts.slice(before)));
        },
      }),
    );
    await Promise.all(applying);
    expect(report).toMatchObject({ heads: [], rows: [], rowCount: 0, drifted: false });
  });

  it('compares a stream that is being written, up to where it is applied', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA } = await smallLedger();
    await live.apply(ledger.receipts);
    await live.pool.query(`UPDATE projection.receipts SET type = 'X' WHERE event_id = $1`, [eventIdAt(bookA, 1)]);
    const more = await ledger.save(bookA, { page: 5 });
    const applying: Promise<void>[] = [];
    const report = granted(
      await drift({
        source: storeSource(memoryStore(objectsOf(ledger.receipts))),
        ...{ databaseUrl: live.url, trust: ledger.trust, scope: scopeBelow(prefixOf(bookA)) },
        onProgress: () => {
          if (applying.length === 0) applying.push(live.apply([more]));
        },
      }),
    );
    await Promise.all(applying);
    expect(report).toMatchObject({
      heads: [],
      rows: [{ table: 'receipts', key: { event_id: eventIdAt(bookA, 1) }, columns: ['type'] }],
      rowCount: 1,
    });
  });

  it('names a stream that the store lost whole', async () => {
    await using live = await liveDatabase();
    const { ledger, bookB } = small;
    await live.apply(ledger.receipts);
    const left = ledger.receipts.filter(({ receipt }) => prefixOf(receipt.stream) !== prefixOf(bookB));
    const options = { source: storeSource(memoryStore(objectsOf(left))), databaseUrl: live.url, trust: ledger.trust };
    expect(granted(await drift({ ...options, scope: scopeBelow(prefixOf(bookB)) }))).toMatchObject({
      heads: [{ stream: prefixOf(bookB), kind: 'ahead', fresh: null }],
      drifted: true,
    });
  });

  it('leaves out a stream at fault, and compares the others', async () => {
    await using live = await liveDatabase();
    const { ledger, a, bookA } = small;
    await live.apply(ledger.receipts);
    await live.pool.query(`INSERT INTO projection.account_members VALUES ($1, 'mallory', 'owner', now())`, [a.accountId]);
    const objects = objectsOf(ledger.receipts);
    setText(objects, bookA, 2, '{"poison":true}');
    const options = { source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: ledger.trust };
    expect(granted(await drift({ ...options, scope: accountOf(a) }))).toMatchObject({
      ledger: { verdict: 'invalid', faults: [{ key: keyAt(bookA, 2) }] },
      heads: [],
      rows: [{ table: 'account_members', kind: 'extra', stream: prefixOf(a) }],
      rowCount: 1,
    });
  });

  it('refuses a stream that is nowhere, and one while another run is under way', async () => {
    await using live = await liveDatabase();
    const { ledger } = small;
    await live.apply(ledger.receipts);
    const options = { source: sourceOf(small), databaseUrl: live.url, trust: ledger.trust };
    const nobody = granted(parseAccountId(`acc_${'0'.repeat(26)}`));
    for (const scope of [scopeOfAccount(nobody), scopeBelow('pixpax/codes'), scopeBelow('pixpax/nothing')])
      expect(await drift({ ...options, scope })).toMatchObject({ ok: false, error: { code: 'unknown-stream' } });
    const client = await live.pool.connect();
    await client.query('SELECT pg_advisory_lock($1)', [0x706978706179]);
    const scope = scopeBelow('pixpax');
    expect(await drift({ ...options, scope })).toMatchObject({ ok: false, error: { code: 'already-running' } });
    await client.query('SELECT pg_advisory_unlock_all()');
    client.release();
    expect(await drift({ ...options, scope })).toMatchObject({ ok: true, value: { drifted: false } });
  });

  it('is total where there is no projection', async () => {
    await using live = await liveDatabase({ empty: true });
    const scope = scopeBelow(prefixOf(small.bookA));
    expect(await driftOf({ small, live }, scope)).toMatchObject({ live: 'missing', drifted: true });
  });
});

/** Makes the projection anew: what a test damaged must not be found by the next. */
const mend = async ({ pool, apply }: LiveDatabase, { ledger }: SmallLedger): Promise<void> => {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'projection'::regnamespace AND relkind = 'r'`,
  );
  await pool.query(`TRUNCATE ${rows.map(({ name }) => `projection.${name}`).join(', ')}`);
  await apply(ledger.receipts);
};
