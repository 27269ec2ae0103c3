import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedDump } from '../../../test/contract/read-model-under-test.ts';
import { createCode, openDrop, revokeCode } from '../../../test/ledger-collection.ts';
import { applicationOf, userId } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { type WholeStory, wholeStory } from '../../../test/whole-story.ts';
import { projectedTables } from '../../projection/rows.ts';
import { prefixOf } from '../../receipt/key-path.ts';
import { type Stream, accountStream, codeStream, collectionStream } from '../../receipt/stream.ts';
import { columnsOf, typeOf } from './columns.ts';
import { type TableDigest, digestTables } from './digest.ts';
import { createProjectionSchema } from './migrate.ts';
import { openPool, withClient } from './pool.ts';
import { openReadModel } from './read-model.ts';

describe('the digests of the tables', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let story: WholeStory;
  let live: readonly TableDigest[];
  beforeAll(async () => {
    database = await freshDatabase();
    pool = openPool({ url: database.url, work: 'scans' });
    // Every table has rows, and columns that may be empty are both.
    story = await wholeStory();
    await withClient(pool, (client) => createProjectionSchema(client, 'fresh'));
    // In another order, side by side and one after the other: what was done when must not show.
    const { receipts } = story.ledger;
    for (const stored of receipts) await openReadModel({ pool }).apply(applicationOf(stored));
    const fresh = openReadModel({ pool, schema: 'fresh' });
    await Promise.all(receipts.map((stored) => fresh.apply(applicationOf(stored))));
    live = await digests('projection');
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
    expect(live.map(({ table }) => table)).toEqual(projectedTables);
    expect(live).toEqual(await digests('fresh'));
    const expected = expectedDump(story.ledger.receipts);
    for (const { table, rows } of live) expect([table, rows]).toEqual([table, expected[table].length]);
    expect(Math.min(...live.map(({ rows }) => rows))).toBeGreaterThan(0);
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
      expect(changed(after, live)).toEqual([table]);
    },
  );

  it.each(projectedTables)('of %s change with a row that is missing', async (table) => {
    const after = await digests('fresh', `DELETE FROM fresh.${table} WHERE ctid = (SELECT min(ctid) FROM fresh.${table})`);
    expect(changed(after, live)).toEqual([table]);
  });

  it('leave out the rows of streams in flight, and of no other', async () => {
    const { ledger, annas, collectionId, issuer } = story;
    const dropId = await openDrop(ledger, collectionId, { issuer });
    const code = codeStream(await createCode(ledger, 'in flight', { collectionId, dropId }, { issuer }));
    const known = ledger.receipts.length;
    const streams: readonly (readonly [Stream, readonly string[]])[] = [
      [annas, ['pixbooks']],
      [accountStream(annas.accountId), ['identities', 'identity_keys']],
      [collectionStream(collectionId), ['drops']],
      [code, ['codes']],
    ];
    const pool2 = openPool({ url: database.url });
    const models = [openReadModel({ pool: pool2 }), openReadModel({ pool: pool2, schema: 'fresh' })];
    const [, fresh] = models;
    for (const stored of ledger.receipts.slice(-2)) for (const model of models) await model.apply(applicationOf(stored));
    const without = streams.map(([stream]) => prefixOf(stream));
    const before = await digests('projection', null, without);
    expect(before.find(({ table }) => table === 'receipts')?.rows).toBe(
      ledger.receipts.filter(({ receipt }) => !without.includes(prefixOf(receipt.stream))).length,
    );
    // Each stream moves on in one of the two.
    await ledger.save(annas, { page: 3 });
    await ledger.createIdentity(annas.accountId, userId('anna'));
    await openDrop(ledger, collectionId, { issuer });
    await revokeCode(ledger, code.codeId, { issuer });
    for (const stored of ledger.receipts.slice(known)) expect(await fresh?.apply(applicationOf(stored))).toBe('applied');
    expect(await digests('fresh', null, without)).toEqual(before);
    for (const [stream, tables] of streams) {
      const others = without.filter((prefix) => prefix !== prefixOf(stream));
      expect(changed(await digests('fresh', null, others), await digests('projection', null, others))).toEqual(
        projectedTables.filter((one) => [...tables, `${stream.type}_ledger_heads`, 'receipts'].includes(one)),
      );
    }
    await pool2.end();
  });
});
