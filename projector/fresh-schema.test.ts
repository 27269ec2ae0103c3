import { expect, it } from 'vitest';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { createBare, index } from './fresh-schema.ts';
import { liveDatabase } from './projection.fixture.ts';

it('makes the keys and indexes that are missing, and leaves those that are there', async () => {
  await using live = await liveDatabase();
  const indexing = await withClient(live.pool, (client) => createBare(client, 'bare'));
  const made = async (schema: string) =>
    (
      await live.pool.query<{ name: string; oid: number }>(
        `SELECT relname AS name, oid FROM pg_class JOIN pg_index ON indexrelid = oid WHERE relnamespace = $1::regnamespace ORDER BY 1`,
        [schema],
      )
    ).rows;
  expect(await made('bare')).toEqual([]);
  await index(live.pool, 'bare', indexing);
  const first = await made('bare');
  expect(first.map(({ name }) => name)).toEqual((await made('projection')).map(({ name }) => name));

  // As a process leaves it that died between two of them.
  await live.pool.query('ALTER TABLE bare.receipts DROP CONSTRAINT receipts_pkey; DROP INDEX bare.receipts_by_account');
  await index(live.pool, 'bare', indexing);
  const second = await made('bare');
  expect(second.map(({ name }) => name)).toEqual(first.map(({ name }) => name));
  const lost = ['receipts_by_account', 'receipts_pkey'];
  expect(second.filter(({ oid }, i) => oid !== first[i]?.oid).map(({ name }) => name)).toEqual(lost);
});
