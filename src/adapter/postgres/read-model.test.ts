import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type FixtureLedger,
  applicationOf,
  collectionId,
  fixtureLedger,
  granted,
  idempotencyKey,
  userId,
} from '../../../test/ledger-fixture.ts';
import { type Step, told } from '../../../test/ledger-story.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { limits } from '../../limits.ts';
import { Outage } from '../../port/outage.ts';
import type { Application, ReadModel } from '../../port/read-model.ts';
import type { StoredReceipt } from '../../receipt/receipt.ts';
import type { Stream, StreamOf } from '../../receipt/stream.ts';
import { PROJECTOR_VERSION } from '../../stream/event.ts';
import { applyStatements } from './apply-statement.ts';
import { openLedgerQueries } from './ledger-queries.ts';
import { createProjectionSchema, ensureSchemas, swapProjection } from './migrate.ts';
import { type PoolRole, openPool, queryOn, withClient } from './pool.ts';
import { openReadModel } from './read-model.ts';
import { noTenant } from './scope.ts';

const OWNER = userId('owner');
const FRESH_KEY = idempotencyKey('never-used');

const fail = (): never => {
  throw new Error('the test itself is wrong');
};

const applyAll = (model: ReadModel, receipts: readonly StoredReceipt[]) =>
  Promise.all(receipts.map((stored) => model.apply(applicationOf(stored))));
const viewBook = (model: ReadModel, stream: StreamOf<'pixbook'>) =>
  model.pixbookView({ stream, idempotencyKey: FRESH_KEY, userId: null, identityId: null });
const viewAccount = (model: ReadModel, stream: StreamOf<'account'>) =>
  model.accountView({ stream, idempotencyKey: FRESH_KEY, userId: null, identityId: null });

/** A ledger with one book and this many saves in it. */
const savedOften = async (saves: number) => {
  const ledger = await fixtureLedger();
  const account = await ledger.createAccount(OWNER);
  const identityId = await ledger.createIdentity(account.accountId, OWNER);
  const book = await ledger.createPixbook(account.accountId, identityId, collectionId('axolotls'));
  for (let page = 1; page <= saves; page++) await ledger.save(book, { page });
  return { ledger, account, book };
};

/** Each verb once, each upon what the one before left. */
const everyVerb: readonly Step[] = (
  [
    'create-account',
    'add-member',
    'change-member-role',
    'remove-member',
    'create-identity',
    'create-pixbook',
    'save',
    'rotate-key',
  ] as const
).map((verb, n) => ({ verb, who: n === 4 || n === 0 ? 0 : 1, where: 1, what: n === 5 ? 0 : 1 }));

const upTo = (ledger: FixtureLedger, stream: Stream, position: number): readonly StoredReceipt[] => {
  const late = new Set(ledger.receiptsOf(stream).slice(position + 1));
  return ledger.receipts.filter((stored) => !late.has(stored));
};

describe('the read model in Postgres', () => {
  let database: TestDatabase;
  const pools: pg.Pool[] = [];
  const poolOn = (options: { connections?: number; role?: PoolRole } = {}): pg.Pool => {
    const pool = openPool({ url: database.url, ...options });
    pools.push(pool);
    return pool;
  };
  /** Sees what other sessions do, and may end them: sessions are the login's, whatever role they have taken on. */
  const asLogin = (): pg.Pool => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    // Dropping the database ends what is about to end by itself.
    pool.on('connect', (client) => client.on('error', () => undefined));
    pools.push(pool);
    return pool;
  };
  beforeAll(async () => {
    database = await freshDatabase();
  });
  // The ledgers of the tests are the same in every run, down to their ids.
  beforeEach(async () => {
    const pool = poolOn({ role: 'projector' });
    await queryOn(pool, noTenant, { text: 'DROP SCHEMA projection CASCADE' });
    await ensureSchemas(pool);
  });
  afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.end())));
  afterAll(() => database.drop());

  it('never shows rows of one projection under the epoch of another while they change places', async () => {
    const pool = poolOn();
    const model = openReadModel({ pool });
    const projector = poolOn({ role: 'projector' });
    const { ledger, book } = await savedOften(3);
    await withClient(projector, (client) => createProjectionSchema(client, 'fresh'));
    // Fresh lacks the last save, and is told from live by that.
    await applyAll(model, ledger.receipts);
    await applyAll(openReadModel({ pool, schema: 'fresh' }), upTo(ledger, book, 2));
    const shown = new Map<string, Set<number | undefined>>();
    let swapping = true;
    const watch = async () => {
      while (swapping) {
        const { epoch, head } = await viewBook(model, book);
        shown.set(epoch, (shown.get(epoch) ?? new Set()).add(head?.position));
      }
    };
    const swap = async () => {
      for (let n = 0; n < 20; n++) {
        await withClient(projector, async (client) => {
          await client.query('BEGIN');
          await swapProjection(client, 'fresh', 'retired');
          await client.query('ALTER SCHEMA retired RENAME TO fresh');
          await client.query('COMMIT');
        });
        await viewBook(model, book);
      }
      swapping = false;
    };
    await Promise.all([swap(), ...Array.from({ length: 8 }, watch)]);
    expect(shown.size).toBe(2);
    expect([...shown.values()].map((positions) => [...positions]).sort()).toEqual([[2], [3]]);
    // What is applied goes into the one that is live when it is: an even number of swaps has brought the first one back.
    expect(await model.apply(applicationOf(ledger.receiptsOf(book)[3] ?? fail()))).toBe('already');
    await queryOn(projector, noTenant, { text: 'DROP SCHEMA fresh CASCADE' });
  });

  it('makes a projection that was dropped under it anew, once, for all who ask', async () => {
    const pool = poolOn();
    const model = openReadModel({ pool });
    const queries = openLedgerQueries({ pool });
    const { ledger, account, book } = await savedOften(1);
    await applyAll(model, ledger.receipts);
    await queryOn(poolOn({ role: 'projector' }), noTenant, { text: 'DROP SCHEMA projection CASCADE' });
    const [view, found, outcome, head] = await Promise.all([
      viewBook(model, book),
      queries.account(account.accountId),
      model.apply(applicationOf(ledger.receipts[0] ?? fail())),
      model.head(account),
    ]);
    expect([view.head, found, outcome, head]).toEqual([null, null, 'applied', null]);
    await model.check();
    expect(new Set(await applyAll(model, ledger.receipts.slice(1)))).toEqual(new Set(['applied']));
  });

  it('is out of order, in words, on a projection of another version', async () => {
    const pool = poolOn();
    const projector = poolOn({ role: 'projector' });
    const model = openReadModel({ pool });
    await queryOn(projector, noTenant, { text: `COMMENT ON SCHEMA projection IS 'projector version 0'` });
    await expect(model.check()).rejects.toMatchObject({
      code: 'postgres-unavailable',
      message: expect.stringContaining('rebuild'),
    });
    await queryOn(projector, noTenant, { text: `COMMENT ON SCHEMA projection IS 'projector version ${PROJECTOR_VERSION}'` });
    await model.check();
  });

  it('applies more streams at once than one statement takes', async () => {
    const model = openReadModel({ pool: poolOn() });
    const ledger = await fixtureLedger();
    const accounts = [];
    for (let n = 0; n < 2 * limits.databaseBatch + 10; n++) accounts.push(await ledger.createAccount(userId(`many-${n}`)));
    expect(new Set(await applyAll(model, ledger.receipts))).toEqual(new Set(['applied']));
    const views = await Promise.all(accounts.map((stream) => viewAccount(model, stream)));
    expect(views.map(({ head }) => head)).toEqual(accounts.map((stream) => ledger.headOf(stream)));
  });

  it('tells an outage from a receipt that cannot be, and works on afterwards', async () => {
    const pool = poolOn({ connections: 3 });
    const model = openReadModel({ pool });
    const { ledger, book } = await savedOften(1);
    await applyAll(model, ledger.receipts);
    const other = asLogin();
    const killAll = () =>
      queryOn(other, noTenant, {
        text: `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      });
    // The head is locked by another session, so that the applications wait inside Postgres when their connections are ended.
    const locked = await poolOn({ connections: 1, role: 'projector' }).connect();
    await locked.query('BEGIN');
    await locked.query('LOCK TABLE projection.pixbook_ledger_heads IN EXCLUSIVE MODE');
    const save = await ledger.save(book, { page: 2 });
    const waiting = Promise.allSettled([model.apply(applicationOf(save)), model.apply(applicationOf(save))]);
    await waitsForLock(other);
    await killAll();
    locked.release(true);
    for (const outcome of await waiting) {
      // The second one waited for the first and then found Postgres well again.
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Outage);
      else expect(['applied', 'already']).toContain(outcome.value);
    }
    expect(['applied', 'already']).toContain(await model.apply(applicationOf(save)));
    expect((await viewBook(model, book)).head).toEqual(ledger.headOf(book));
  });

  it('goes on after a deadlock as if there had been none', async () => {
    const model = openReadModel({ pool: poolOn({ connections: 2 }) });
    const watcher = asLogin();
    const ledger = await fixtureLedger();
    const streams = [await ledger.createAccount(userId('deadly')), await ledger.createAccount(userId('embraced'))];
    await applyAll(model, ledger.receipts);
    const closings = [];
    for (const { accountId } of streams)
      closings.push(granted(await ledger.account(accountId, { type: 'close-account', by: OWNER })));
    const [low = fail(), high = fail()] = streams.map(({ accountId }) => accountId).sort((a, b) => (a < b ? -1 : 1));
    // Somebody locks the heads in the other order. After its deadlock_timeout Postgres ends one of the two: who waited first.
    const other = await poolOn({ connections: 1, role: 'projector' }).connect();
    await other.query('BEGIN');
    const lock = (accountId: string) =>
      other.query('SELECT FROM projection.account_ledger_heads WHERE account_id = $1 FOR UPDATE', [accountId]);
    await lock(high);
    const applying = applyAll(model, closings);
    await waitsForLock(watcher);
    await lock(low).catch(() => undefined);
    await other.query('ROLLBACK');
    other.release();
    expect(await applying).toEqual(['applied', 'applied']);
  });

  it('looks again when the head was not in the way any more', async () => {
    const model = openReadModel({ pool: poolOn() });
    const watcher = asLogin();
    const { ledger, book } = await savedOften(1);
    await applyAll(model, ledger.receipts);
    const save = await ledger.save(book, { page: 'after all' });
    // The row that the statement waits for goes, and another one stands at the predecessor: as when rivals apply what was missing.
    const other = await poolOn({ connections: 1, role: 'projector' }).connect();
    await other.query('BEGIN');
    await other.query(`CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM projection.pixbook_ledger_heads`);
    await other.query('DELETE FROM projection.pixbook_ledger_heads');
    await other.query('INSERT INTO projection.pixbook_ledger_heads SELECT * FROM kept');
    const applying = model.apply(applicationOf(save));
    await waitsForLock(watcher);
    await other.query('COMMIT');
    other.release();
    expect(await applying).toBe('applied');
  });

  /** Resolves once a session of this database waits for a lock. */
  const waitsForLock = async (pool: pg.Pool): Promise<void> => {
    for (;;) {
      const rows = await queryOn(pool, noTenant, {
        text: `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      });
      if (rows.length > 0) return;
    }
  };

  it('keeps only so many statements prepared, and spells the same mixture the same way', async () => {
    const { ledger, book } = await savedOften(2);
    const statements = applyStatements('projection');
    const [first = fail(), second = fail()] = ledger.receiptsOf(book).slice(1).map(applicationOf);
    expect(statements([first]).name).toBe(statements([second]).name);
    expect(statements([first, second]).name).toBe(statements([second, first]).name);
    // Every mixture of changes has a name until there are too many.
    const bySet = new Map<string, Application['projected']['changes'][number]>();
    for (const { projected } of (await told(everyVerb)).receipts.map(applicationOf))
      for (const change of projected.changes) bySet.set(JSON.stringify([change.op, change.table]), change);
    const changes = [...bySet.values()];
    expect(2 ** changes.length).toBeGreaterThan(limits.databasePreparedStatements);
    const names = new Set<string | undefined>();
    for (let mixture = 0; mixture < 2 ** changes.length; mixture++) {
      const chosen = changes.filter((_, n) => ((mixture >> n) & 1) === 1);
      names.add(statements([{ ...first, projected: { changes: chosen, redo: [] } }]).name);
    }
    expect(names.has(undefined)).toBe(true);
    expect(names.size).toBeLessThanOrEqual(limits.databasePreparedStatements + 1);
  });
});
