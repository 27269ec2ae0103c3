import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { inTransaction, openAuthPool } from './auth-database.ts';
import { authTables } from './auth-tables.ts';
import { openAuthentication } from './authentication.ts';
import { configFor, signIn, signUp } from './sign-in.fixture.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase({ empty: true });
});
afterEach(() => database.drop());

const shape = async (): Promise<unknown> => {
  const pool = openAuthPool(database.url, 'sign-in');
  try {
    const tables = await inTransaction(pool, 'read only', authTables);
    const indexes = await pool.query<{ indexdef: string }>(
      `select indexdef from pg_indexes where schemaname = 'auth' order by 1`,
    );
    const outside = await pool.query(`select 1 from pg_tables where schemaname = 'public'`);
    return { tables: tables.map(({ name }) => name), indexes: indexes.rows.length, outside: outside.rowCount };
  } finally {
    await pool.end();
  }
};
const complete = {
  tables: ['apikey', 'rateLimit', 'user', 'verification', 'account', 'passkey', 'session'],
  indexes: 19,
  outside: 0,
};

it('makes the tables once when several start at once in one process', async () => {
  const opened = await Promise.all(Array.from({ length: 4 }, () => openAuthentication(configFor(database.url))));
  await Promise.all(opened.map((each) => each.close()));
  expect(await shape()).toEqual(complete);
});

it('makes the tables once when two processes start at once', async () => {
  const open = () =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, 'open-authentication.fixture.ts'), database.url]);
  expect((await Promise.all([open(), open()])).map(({ stdout, stderr }) => stdout + stderr)).toEqual(['', '']);
  expect(await shape()).toEqual(complete);
});

it('adds what a later version has and the tables lack, and keeps the rows', async () => {
  const first = await openAuthentication(configFor(database.url));
  await signUp(first);
  await first.close();
  const pool = openAuthPool(database.url, 'sign-in');
  await pool.query('alter table auth.session drop column "userAgent"; drop table auth."rateLimit"');
  await pool.end();
  const second = await openAuthentication(configFor(database.url));
  expect((await signIn(second)).token).not.toBe('');
  await second.close();
  expect(await shape()).toEqual(complete);
});
