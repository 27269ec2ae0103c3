import pMap from 'p-map';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rebuild } from '../projector/rebuild.ts';
import { storeSource } from '../projector/store-source.ts';
import { objectsOf } from '../projector/tampering.fixture.ts';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { openLedgerQueries } from '../src/adapter/postgres/ledger-queries.ts';
import { createBareSchema, createProjectionSchema } from '../src/adapter/postgres/migrate.ts';
import { openPool, queryOn, withClient } from '../src/adapter/postgres/pool.ts';
import { openReadModel } from '../src/adapter/postgres/read-model.ts';
import { opsTables } from '../src/adapter/postgres/schema-text.ts';
import { type Scope, noTenant, tenants } from '../src/adapter/postgres/scope.ts';
import { projectedTables } from '../src/projection/rows.ts';
import { type AccountId, type IdentityId, OPERATOR_ACCOUNT_ID, parseAccountId } from '../src/receipt/ids.ts';
import type { StreamOf } from '../src/receipt/stream.ts';
import { applicationOf, collectionId, fixtureLedger, granted, idempotencyKey, userId } from './ledger-fixture.ts';
import { freshDatabase } from './postgres.ts';
import { type WholeStory, wholeStory } from './whole-story.ts';

type Row = { readonly [column: string]: unknown };

const openDatabase = async () => {
  const database = await freshDatabase();
  const app = openPool({ url: database.url, connections: 2 });
  const projector = openPool({ url: database.url, connections: 2, role: 'projector' });
  const close = async () => {
    await Promise.all([app.end(), projector.end()]);
    await database.drop();
  };
  return { database, app, projector, close };
};

/** Tables with a tenant's column that lack a part of their wall, each with what it lacks. */
const faultsIn = async (pool: pg.Pool, ...schemas: readonly string[]): Promise<readonly string[]> => {
  const rows = await queryOn<{ table: string; lacks: string[] }>(pool, noTenant, {
    text: `
      SELECT c.oid::regclass::text AS table, array_remove(ARRAY[
          CASE WHEN NOT relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END,
          CASE WHEN NOT relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END,
          CASE WHEN relowner <> 'pixpax_projector'::regrole THEN 'its owner' END,
          CASE WHEN NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND 'pixpax_app'::regrole = ANY (polroles))
            THEN 'a policy for pixpax_app' END,
          CASE WHEN EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND 0 = ANY (polroles)) THEN 'no policy for everybody' END,
          CASE WHEN EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND pg_get_expr(polqual, polrelid) ~ 'account_id = ANY')
            THEN 'another collation than its indexes in its walls' END
        ], NULL) AS lacks
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
      WHERE nspname = ANY ($1) AND relkind IN ('r', 'p')
        AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'account_id' AND NOT attisdropped)
      ORDER BY 1`,
    values: [schemas],
  });
  return rows.flatMap(({ table, lacks }) => lacks.map((part) => `${table} lacks ${part}`));
};

const tablesWithTenants = async (pool: pg.Pool, schema: string): Promise<readonly string[]> => {
  const rows = await queryOn<{ name: string }>(pool, noTenant, {
    text: `SELECT relname::text AS name FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
           WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') AND attname = 'account_id' ORDER BY 1`,
    values: [schema],
  });
  return rows.map(({ name }) => name);
};

describe('the tenant walls', () => {
  let opened: Awaited<ReturnType<typeof openDatabase>>;
  let app: pg.Pool;
  let projector: pg.Pool;
  beforeAll(async () => {
    opened = await openDatabase();
    ({ app, projector } = opened);
  });
  afterAll(() => opened.close());

  it('stand around every table that has a tenant’s column', async () => {
    expect(await faultsIn(projector, 'projection', 'ops')).toEqual([]);
    expect((await tablesWithTenants(projector, 'projection')).length).toBeGreaterThan(12);
    expect(await tablesWithTenants(projector, 'ops')).toEqual(['usage']);
  });

  it.each([
    [
      'CREATE TABLE scratch.forgotten (account_id text)',
      ['ENABLE ROW LEVEL SECURITY', 'FORCE ROW LEVEL SECURITY', 'a policy for pixpax_app'],
    ],
    [
      'CREATE TABLE scratch.forgotten (account_id text); ALTER TABLE scratch.forgotten ENABLE ROW LEVEL SECURITY',
      ['FORCE ROW LEVEL SECURITY', 'a policy for pixpax_app'],
    ],
    [
      `CREATE TABLE scratch.forgotten (account_id text); ALTER TABLE scratch.forgotten ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
       CREATE POLICY anybody ON scratch.forgotten USING (true)`,
      ['a policy for pixpax_app', 'no policy for everybody'],
    ],
    [
      `CREATE TABLE scratch.forgotten (account_id text); ALTER TABLE scratch.forgotten ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
       CREATE POLICY tenant ON scratch.forgotten TO pixpax_app USING (account_id = ANY ((SELECT scratch.tenants())::text[]))`,
      ['another collation than its indexes in its walls'],
    ],
  ])('would be missed where they were forgotten (%#)', async (made, lacks) => {
    await withClient(projector, (client) => createProjectionSchema(client, 'scratch'));
    expect(await faultsIn(projector, 'scratch')).toEqual([]);
    await projector.query(made);
    expect(await faultsIn(projector, 'scratch')).toEqual(lacks.map((part) => `scratch.forgotten lacks ${part}`));
    await projector.query('DROP SCHEMA scratch CASCADE');
  });

  it('bind the app and the directory: they own nothing, pass by nothing, and see no other schema', async () => {
    const rows = await queryOn(projector, noTenant, {
      text: `
        SELECT rolname::text AS role, rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole AS mighty,
          (SELECT count(*)::integer FROM pg_class WHERE relowner = r.oid) + (SELECT count(*)::integer FROM pg_namespace WHERE nspowner = r.oid)
            + (SELECT count(*)::integer FROM pg_proc WHERE proowner = r.oid) AS owned,
          (SELECT count(*)::integer FROM pg_auth_members WHERE member = r.oid) AS memberships,
          ARRAY(SELECT nspname::text FROM pg_namespace WHERE has_schema_privilege(r.oid, oid, 'USAGE')
            AND nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'public') ORDER BY 1) AS schemas,
          ARRAY(SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text IN ('projection', 'ops')
            AND has_table_privilege(r.oid, oid, 'SELECT') AND rolname = 'pixpax_directory') AS wholly,
          ARRAY(SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text IN ('projection', 'ops')
            AND has_table_privilege(r.oid, oid, 'TRUNCATE, TRIGGER, REFERENCES')) AS altered
        FROM pg_roles AS r WHERE rolname IN ('pixpax_app', 'pixpax_directory') ORDER BY 1`,
    });
    const bound = { mighty: false, owned: 0, memberships: 0, wholly: [], altered: [] };
    expect(rows).toEqual([
      { role: 'pixpax_app', ...bound, schemas: ['ops', 'projection'] },
      { role: 'pixpax_directory', ...bound, schemas: ['projection'] },
    ]);
  });

  it('let the directory tell whose an id is, and nothing else of it', async () => {
    for (const table of [...projectedTables, 'projector_offsets'])
      if (table !== 'identity_keys')
        await expect(queryOn(app, 'directory', { text: `SELECT * FROM projection.${table}` })).rejects.toMatchObject({
          code: '42501',
        });
    for (const table of opsTables)
      await expect(queryOn(app, 'directory', { text: `SELECT FROM ops.${table}` })).rejects.toMatchObject({ code: '42501' });
    await expect(queryOn(app, 'directory', { text: `DELETE FROM projection.trades` })).rejects.toMatchObject({ code: '42501' });
    expect(await queryOn(app, 'directory', { text: 'SELECT book_id, account_id FROM projection.pixbooks' })).toEqual([]);
  });

  it('leave a projection that is being filled to its owner', async () => {
    await withClient(projector, (client) => createBareSchema(client, 'bare'));
    for (const scope of [noTenant, tenants(OPERATOR_ACCOUNT_ID), 'directory'] as const)
      await expect(queryOn(app, scope, { text: 'SELECT account_id FROM bare.receipts' })).rejects.toMatchObject({
        code: '42501',
      });
    await projector.query('DROP SCHEMA bare CASCADE');
  });
});

/** Which accounts a row is shown to; null: to all. What schema.sql says, said once more. */
const shownTo = (table: string, row: Row): readonly unknown[] | null => {
  switch (table) {
    case 'receipts':
      return row.account_id === null ? null : [row.account_id];
    case 'identities':
      return row.account_id === OPERATOR_ACCOUNT_ID ? null : [row.account_id];
    case 'codes':
      return [OPERATOR_ACCOUNT_ID, row.account_id];
    case 'trades':
      return [row.account_id, row.to_account_id];
    case 'trade_reservations':
      return [row.account_id, row.offer_account_id];
    default:
      return 'account_id' in row ? [row.account_id] : null;
  }
};

describe('a whole ledger behind its walls', () => {
  let opened: Awaited<ReturnType<typeof openDatabase>>;
  let story: WholeStory;
  const everything = new Map<string, readonly Row[]>();
  let accounts: readonly AccountId[];
  const rowsOf = (table: string, scope: Scope): Promise<readonly Row[]> =>
    queryOn<Row>(opened.app, scope, { text: `SELECT * FROM projection.${table}` });
  const sorted = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row)).sort();
  beforeAll(async () => {
    opened = await openDatabase();
    story = await wholeStory();
    const model = openReadModel({ pool: opened.app });
    for (const stored of story.ledger.receipts) expect(await model.apply(applicationOf(stored))).toBe('applied');
    for (const table of projectedTables)
      everything.set(table, (await opened.projector.query<Row>(`SELECT * FROM projection.${table}`)).rows);
    accounts = (everything.get('accounts') ?? []).map(({ account_id }) => granted(parseAccountId(account_id)));
    expect(accounts.length).toBeGreaterThan(3);
  });
  afterAll(() => opened.close());

  it.each(projectedTables)('shows of %s what is somebody’s to nobody else', async (table) => {
    const all = everything.get(table) ?? [];
    const scopes: readonly (readonly AccountId[])[] = [
      [],
      ...accounts.map((account) => [account]),
      accounts.slice(0, 2),
      accounts,
    ];
    for (const scope of scopes) {
      const expected = all.filter((row) => {
        const to = shownTo(table, row);
        return to === null || scope.some((account) => to.includes(account));
      });
      expect(sorted(await rowsOf(table, { accounts: scope }))).toEqual(sorted(expected));
    }
  });

  it('has no rows for whoever says nothing, or the empty text', async () => {
    for (const table of await tablesWithTenants(opened.projector, 'projection'))
      for (const setting of ['', `SET app.account_id = '';`, `SET app.account_id = ',';`]) {
        const shown = await withClient(opened.app, async (client) => {
          await client.query('BEGIN');
          if (setting !== '') await client.query(setting.replace('SET ', 'SET LOCAL '));
          const { rows } = await client.query<Row>(`SELECT * FROM projection.${table}`);
          await client.query('ROLLBACK');
          return rows;
        });
        expect(shown.filter((row) => shownTo(table, row) !== null)).toEqual([]);
      }
  });

  it('takes rows of nobody but those whom a statement serves', async () => {
    const refused = { code: '42501', message: expect.stringContaining('row-level security') };
    let tried = 0;
    for (const table of await tablesWithTenants(opened.projector, 'projection')) {
      const row = everything.get(table)?.find((each) => each.account_id !== null && each.account_id !== OPERATOR_ACCOUNT_ID);
      if (row === undefined) continue;
      tried++;
      const stranger = accounts.filter(
        (account) => shownTo(table, row)?.includes(account) !== true && account !== OPERATOR_ACCOUNT_ID,
      );
      for (const scope of [noTenant, tenants(...stranger.slice(0, 2))]) {
        const copy = `INSERT INTO projection.${table} SELECT * FROM json_populate_record(NULL::projection.${table}, $1)`;
        const values = [JSON.stringify(row, (_, value: unknown) => (Buffer.isBuffer(value) ? null : value))];
        await expect(queryOn(opened.app, scope, { text: copy, values })).rejects.toMatchObject(refused);
        const change = {
          text: `UPDATE projection.${table} SET account_id = account_id WHERE account_id = $1 RETURNING 1`,
          values: [row.account_id],
        };
        expect(await queryOn(opened.app, scope, change)).toEqual([]);
      }
      // Nor does anybody give what is theirs away.
      const mine = tenants(granted(parseAccountId(row.account_id)));
      const [other] = stranger;
      const away = {
        text: `UPDATE projection.${table} SET account_id = $1 WHERE account_id = $2`,
        values: [other, row.account_id],
      };
      await expect(queryOn(opened.app, mine, away)).rejects.toMatchObject(refused);
    }
    expect(tried).toBeGreaterThan(10);
  });

  it('lets the partner of a trade see it, and not change it', async () => {
    const [trade] = everything.get('trades') ?? [];
    const partner = tenants(granted(parseAccountId(trade?.to_account_id)));
    const at = 'WHERE trade_id = $1 RETURNING 1';
    const values = [trade?.trade_id];
    expect(
      await queryOn(opened.app, partner, { text: 'SELECT FROM projection.trades WHERE trade_id = $1', values }),
    ).toHaveLength(1);
    expect(
      await queryOn(opened.app, partner, { text: `UPDATE projection.trades SET status = 'accepted' ${at}`, values }),
    ).toEqual([]);
  });

  it('has the same walls and rows when it was rebuilt and has changed places', async () => {
    const anatomy = () =>
      queryOn(opened.projector, noTenant, {
        text: `SELECT tablename, policyname, roles::text, cmd, qual, with_check, relacl::text, relowner::regrole::text AS owner, relrowsecurity, relforcerowsecurity
               FROM pg_policies JOIN pg_class ON pg_class.oid = ('projection.' || tablename)::regclass
               WHERE schemaname = 'projection' ORDER BY 1, 2`,
      });
    const before = await anatomy();
    const { ledger } = story;
    const source = storeSource(memoryStore(objectsOf(ledger.receipts)));
    const report = granted(await rebuild({ source, databaseUrl: opened.database.url, trust: ledger.trust, threads: 1 }));
    expect(report).toMatchObject({ live: 'whole', drifted: false });
    expect(await anatomy()).toEqual(before);
    expect(await faultsIn(opened.projector, 'projection', 'projection_previous', 'ops')).toEqual([]);
    for (const table of projectedTables) {
      const expected = (everything.get(table) ?? []).filter(
        (row) => shownTo(table, row)?.includes(story.annas.accountId) ?? true,
      );
      expect(sorted(await rowsOf(table, tenants(story.annas.accountId)))).toEqual(sorted(expected));
    }
  });
});

const TENANTS = 1_000;

type Tenant = { readonly account: StreamOf<'account'>; readonly identityId: IdentityId; readonly book: StreamOf<'pixbook'> };

describe('a thousand tenants over two connections', () => {
  let opened: Awaited<ReturnType<typeof openDatabase>>;
  const all: Tenant[] = [];
  const known = new Set<string>();
  beforeAll(async () => {
    opened = await openDatabase();
    const ledger = await fixtureLedger();
    for (let n = 0; n < TENANTS; n++) {
      const who = userId(`tenant-${n}`);
      const account = await ledger.createAccount(who);
      const identityId = await ledger.createIdentity(account.accountId, who);
      const book = await ledger.createPixbook(account.accountId, identityId, collectionId('axolotls'));
      await ledger.save(book, { whose: account.accountId });
      all.push({ account, identityId, book });
      known.add(account.accountId);
    }
    const model = openReadModel({ pool: opened.app });
    const outcomes = await Promise.all(ledger.receipts.map((stored) => model.apply(applicationOf(stored))));
    expect(new Set(outcomes)).toEqual(new Set(['applied']));
  });
  afterAll(() => opened.close());

  const tenant = (n: number): Tenant => all[n % TENANTS] ?? fail();
  /** Accounts that are named anywhere in an answer. */
  const namedIn = (answer: unknown): readonly string[] =>
    [
      ...new Set(
        JSON.stringify(answer, (_, value: unknown) => (value instanceof Map ? [...value] : value)).match(/acc_[0-9A-Z]{26}/g),
      ),
    ].filter((name) => known.has(name));

  it('never answers anybody with a row of somebody else', async () => {
    const queries = openLedgerQueries({ pool: opened.app });
    const model = openReadModel({ pool: opened.app });
    const key = idempotencyKey('never-used');
    const tables = await tablesWithTenants(opened.projector, 'projection');
    // Numbers in no order that is any table's: 7919 is prime to the number of tenants.
    const asks = Array.from({ length: 2 * TENANTS }, (_, n) => ({ n, own: tenant(n * 7_919), other: tenant(n * 7_919 + 1) }));
    let answered = 0;
    await pMap(
      asks,
      async ({ n, own, other }) => {
        const { accountId } = own.account;
        const view = { idempotencyKey: key, identityId: null, userId: userId(`tenant-${n}`) };
        const foreign = { accountId, bookId: other.book.bookId };
        const answers: readonly (() => Promise<unknown>)[] = [
          () => queries.pixbook(own.book),
          () => queries.pixbooks({ accountIds: [accountId], identityId: null, collectionId: null }, { after: null, limit: 5 }),
          () => model.pixbookView({ ...view, stream: own.book }),
          () => model.accountView({ ...view, stream: own.account }),
          () =>
            queryOn(opened.app, tenants(accountId), { text: `SELECT * FROM projection.${tables[n % tables.length] ?? fail()}` }),
          () => queries.account(accountId),
          () => queries.identity(accountId, own.identityId),
          () => queries.identities(accountId, { after: null, limit: 5 }),
          () => queries.head(own.book),
        ];
        const answer = await (answers[n % answers.length] ?? fail())();
        expect(namedIn(answer).filter((name) => name !== accountId)).toEqual([]);
        if (n % answers.length < 4) expect(answer).not.toBeNull();
        // What is asked for through the wrong account is not there, and what fails takes nothing with it.
        if (n % 3 === 0) expect(await queries.pixbook(foreign)).toBeNull();
        if (n % 3 === 1) expect(await queries.identity(accountId, other.identityId)).toBeNull();
        if (n % 5 === 0)
          await expect(queryOn(opened.app, tenants(other.account.accountId), { text: 'SELECT 1 / 0' })).rejects.toMatchObject({
            code: '22012',
          });
        if (n % 7 === 0) {
          const unsaid = await queryOn(opened.app, noTenant, { text: `SELECT account_id FROM projection.pixbooks` });
          expect(unsaid).toEqual([]);
        }
        answered++;
      },
      { concurrency: 40 },
    );
    expect(answered).toBe(asks.length);
    // Nor is anything left on either connection.
    const clients = await Promise.all([opened.app.connect(), opened.app.connect()]);
    for (const client of clients) {
      const { rows } = await client.query(
        `SELECT nullif(current_setting('app.account_id', true), '') AS scope, current_user::text AS role`,
      );
      expect(rows).toEqual([{ scope: null, role: 'pixpax_app' }]);
      client.release();
    }
  });

  it('shows each of them its book and its state', async () => {
    const queries = openLedgerQueries({ pool: opened.app });
    await pMap(
      all,
      async ({ account, book }) =>
        expect(await queries.pixbook(book)).toMatchObject({ accountId: account.accountId, state: { whose: account.accountId } }),
      { concurrency: 40 },
    );
  });
});

const fail = (): never => {
  throw new RangeError('the test itself is wrong');
};
