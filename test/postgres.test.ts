import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { freshDatabase } from './postgres.ts';

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the Postgres of a test run', async () => {
  const one = await freshDatabase();
  const other = await freshDatabase();
  afterAll(async () => {
    await one.drop();
    await other.drop();
  });

  it('gives every caller a database of its own', async () => {
    await ask(one.url, 'create table mine (id int)');
    expect(await ask(other.url, `select to_regclass('mine') as found`)).toEqual([{ found: null }]);
  });

  it('has the schema applied', async () => {
    const schemas = await ask(one.url, `select nspname from pg_namespace where nspname in ('projection', 'ops') order by 1`);
    expect(schemas).toEqual([{ nspname: 'ops' }, { nspname: 'projection' }]);
  });

  it('gives an empty database on demand', async () => {
    const empty = await freshDatabase({ empty: true });
    expect(await ask(empty.url, `select count(*)::int as n from pg_namespace where nspname = 'ops'`)).toEqual([{ n: 0 }]);
    await empty.drop();
  });

  it('works as a role that row-level security binds', async () => {
    const [role] = await ask(one.url, 'select rolsuper, rolbypassrls from pg_roles where rolname = current_user');
    expect(role).toEqual({ rolsuper: false, rolbypassrls: false });
  });

  it('drops a database that somebody still uses', async () => {
    const used = await freshDatabase();
    const client = new pg.Client(used.url);
    const lost = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await used.drop();
    expect(await lost).toBeInstanceOf(Error);
    await expect(ask(used.url, 'select 1')).rejects.toMatchObject({ code: '3D000' });
  });
});
