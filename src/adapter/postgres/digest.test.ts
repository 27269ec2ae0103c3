import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applicationOf, collectionId, fixtureLedger, userId } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { projectedTables } from '../../projection/rows.ts';
import { prefixOf } from '../../receipt/key-path.ts';
import { columnsOf, typeOf } from './columns.ts';
import { type TableDigest, digestTables } from './digest.ts';
import { createProjectionSchema } from './migrate.ts';
import { openPool, withClient } from './pool.ts';
import { openReadModel } from './read-model.ts';

const OWNER = userId('owner');

/** A ledger in which every table has rows, and columns that may be empty are both. */
const richLedger = async () => {
  const ledger = await fixtureLedger();
  const account = await ledger.createAccount(OWNER);
  const identityId = await ledger.createIdentity(account.accountId, OWNER);
  const book = await ledger.createPixbook(account.accountId, identityId, collectionId('axolotls'));
  await ledger.save(book, { 'tab\tand\\': 'new\nline' });
  await ledger.rotateKey(account.accountId, identityId, OWNER);
  await ledger.createPixbook(account.accountId, identityId, collectionId('beetles'));
  return { ledger, account, book };
};

describe('the digests of the tables', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let rich: Awaited<ReturnType<typeof richLedger>>;
  beforeAll(async () => {
    database = await freshDatabase();
    pool = openPool({ url: database.url, work: 'scans' });
    rich = await richLedger();
    await withClient(pool, (client) => createProjectionSchema(client, 'fresh'));
    // In another order, side by side and one after the other: what was done when must not show.
    for (const stored of rich.ledger.receipts) await openReadModel({ pool }).apply(applicationOf(stored));
    const fresh = openReadModel({ pool, schema: 'fresh' });
    await Promise.all(rich.ledger.receipts.map((stored) => fresh.apply(applicationOf(stored))));
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** Digests after a change that is then undone. */
  const digests = (
    schema: string,
    change: string | null = null,
    without: readonly string[] = [],
  ): Promise<readonly TableDigest[]> =>
    withClient(pool, async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      if (change !== null) await client.query(change);
      const found = await digestTables(client, schema, { without });
      await client.query('ROLLBACK');
      return found;
    });
  const changed = (a: readonly TableDigest[], b: readonly TableDigest[]): readonly string[] =>
    a.filter(({ sha256 }, n) => sha256 !== b[n]?.sha256).map(({ table }) => table);

  it('are equal for equal projections, with the number of rows', async () => {
    const live = await digests('projection');
    expect(live.map(({ table }) => table)).toEqual(projectedTables);
    expect(live).toEqual(await digests('fresh'));
    expect(Object.fromEntries(live.map(({ table, rows }) => [table, rows]))).toEqual({
      ...{ accounts: 2, account_members: 1, identities: 2, identity_keys: 3, pixbooks: 2 },
      ...{ account_ledger_heads: 2, pixbook_ledger_heads: 2, receipts: 7 },
    });
    for (const { sha256 } of live) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(projectedTables.flatMap((table) => columnsOf(table).map((column) => [table, column] as const)))(
    'of %s change with its column %s',
    async (table, column) => {
      const other = {
        text: `'other'`,
        integer: '77',
        bigint: '77',
        timestamptz: `'2001-01-01T00:00:00.001Z'`,
        json: `'{"other":1}'`,
        bytea: `sha256('other')`,
      }[typeOf(table, column)];
      const constrained = `ALTER TABLE fresh.${table} DROP CONSTRAINT IF EXISTS ${table}_${column}_check;`;
      const oneRow = `UPDATE fresh.${table} SET ${column} = ${other} WHERE ctid = (SELECT min(ctid) FROM fresh.${table})`;
      const after = await digests('fresh', constrained + oneRow);
      expect(changed(after, await digests('projection'))).toEqual([table]);
    },
  );

  it.each(projectedTables)('of %s change with a row that is missing', async (table) => {
    const after = await digests('fresh', `DELETE FROM fresh.${table} WHERE ctid = (SELECT min(ctid) FROM fresh.${table})`);
    expect(changed(after, await digests('projection'))).toEqual([table]);
  });

  it('leave out the rows of streams in flight, and of no other', async () => {
    const { ledger, account, book } = rich;
    const pool2 = openPool({ url: database.url });
    const without = [prefixOf(account), prefixOf(book)];
    const before = await digests('projection', null, without);
    expect(before.find(({ table }) => table === 'receipts')?.rows).toBe(2);
    // Both streams move on in one of the two.
    await ledger.save(book, { page: 2 });
    await ledger.createIdentity(account.accountId, OWNER);
    const fresh = openReadModel({ pool: pool2, schema: 'fresh' });
    for (const stored of ledger.receipts.slice(-2)) expect(await fresh.apply(applicationOf(stored))).toBe('applied');
    expect(await digests('fresh', null, without)).toEqual(before);
    expect(changed(await digests('fresh', null, [prefixOf(account)]), before)).toContain('pixbook_ledger_heads');
    expect(changed(await digests('fresh', null, [prefixOf(book)]), before)).toContain('identities');
    await pool2.end();
  });
});
