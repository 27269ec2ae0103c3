import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { limits } from '../../limits.ts';
import { systemClock } from '../../port/clock.ts';
import { parseUserId } from '../../receipt/ids.ts';
import { openAuthPool } from './auth-database.ts';
import { openAuthentication } from './authentication.ts';
import { newAuthenticator } from './authenticator.fixture.ts';
import { backupAuth } from './backup-auth.ts';
import { type EmbeddedAuthentication, openEmbeddedAuthentication } from './embedded-authentication.ts';
import { restoreAuth } from './restore-auth.ts';
import { ADA, bearer, configFor, cookie, get, post, signIn, signUp, thrownBy } from './sign-in.fixture.ts';
import type { SignInFault } from './sign-in-config.ts';

let directory: string;
let file: string;
const databases: TestDatabase[] = [];
const closing: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'auth backup '));
  file = join(directory, 'auth.jsonl');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true });
});
afterAll(async () => {
  for (const database of databases) await database.drop();
});

const newDatabase = async (): Promise<string> => {
  const database = await freshDatabase({ empty: true });
  databases.push(database);
  return database.url;
};

const poolOn = (url: string): pg.Pool => {
  const pool = openAuthPool(url, 'sign-in');
  closing.push(() => pool.end());
  return pool;
};

const embedded = async (url: string, report?: (fault: SignInFault) => void): Promise<EmbeddedAuthentication> => {
  const config = { ...configFor(url), backupFile: file, clock: { ...systemClock, sleep: () => Promise.resolve() } };
  const opened = await openEmbeddedAuthentication(report === undefined ? config : { ...config, report });
  if (!opened.ok) throw new Error(opened.error.detail);
  closing.push(() => opened.value.close());
  return opened.value;
};

const count = async (pool: pg.Pool): Promise<number> => {
  const { rows } = await pool.query<{ n: number }>(
    'select (select count(*) from auth."user") + (select count(*) from auth.session) + (select count(*) from auth.account) as n',
  );
  return rows[0]?.n ?? 0;
};

describe('losing the embedded Postgres', () => {
  it('loses neither users, passwords and sessions nor passkeys and API keys', async () => {
    const before = await embedded(await newDatabase());
    expect(before.restored).toBe('no-file');
    await signUp(before);
    const ada = await signIn(before);
    const out = await signIn(before);
    const device = newAuthenticator();
    const options = await before.handle(get('/passkey/generate-register-options', { cookie: ada.cookie }));
    const challenge = options.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const registration = { response: device.register(await options.json()) };
    const carried = { cookie: `${ada.cookie}; ${challenge}` };
    expect((await before.handle(post('/passkey/verify-registration', registration, carried))).status).toBe(200);
    const userId = parseUserId(ada.userId);
    if (!userId.ok) throw new Error(ada.userId);
    const made = await before.createApiKey(userId.value, { name: 'Till', scopes: ['pixbooks:read'], expiresAt: null });
    await before.handle(post('/sign-out', {}, { cookie: out.cookie }));
    await before.close();

    const after = await embedded(await newDatabase());
    expect(after.restored).toBe('restored');
    expect(await after.session(bearer(ada.token))).toMatchObject({ userId: ada.userId, via: 'bearer' });
    expect(await after.session(cookie(ada.cookie))).toMatchObject({ userId: ada.userId, via: 'cookie' });
    expect(await after.session(bearer(out.token))).toBeNull();
    expect((await signIn(after)).userId).toBe(ada.userId);
    expect(await after.session(bearer(made.ok ? made.value.key : ''))).toMatchObject({ userId: ada.userId, via: 'api-key' });
    const passkeys: unknown = await (await after.handle(get('/passkey/list-user-passkeys', { cookie: ada.cookie }))).json();
    expect(passkeys).toMatchObject([{ credentialID: device.id }]);
    expect((await after.handle(post('/sign-in/email', { ...ADA, password: 'wrong password' }))).status).toBe(401);
  });

  it('leaves a Postgres that is still there as it is, and backs up what the file lacks', async () => {
    const url = await newDatabase();
    const before = await openAuthentication(configFor(url));
    await signUp(before);
    const ada = await signIn(before);
    await before.close();
    const again = await embedded(url);
    expect(again.restored).toBe('not-needed');
    await again.close();
    expect(await (await embedded(await newDatabase())).session(bearer(ada.token))).toMatchObject({ userId: ada.userId });
  });

  it('reports a backup that cannot be written, and serves on', async () => {
    const faults: SignInFault[] = [];
    const authentication = await embedded(await newDatabase(), (fault) => faults.push(fault));
    rmSync(directory, { recursive: true });
    expect((await signUp(authentication)).status).toBe(200);
    await authentication.close();
    expect(faults).toEqual([{ level: 'error', message: expect.stringContaining('no backup of sign-in: ENOENT') }]);
    directory = mkdtempSync(join(tmpdir(), 'auth backup '));
  });

  it('does not start on a file it cannot read', async () => {
    writeFileSync(file, 'nonsense\n');
    const config = { ...configFor(await newDatabase()), backupFile: file };
    const opened = await openEmbeddedAuthentication(config);
    expect(opened).toMatchObject({ ok: false, error: { code: 'auth-backup-foreign', file } });
  });
});

describe('the backup file', () => {
  let pool: pg.Pool;
  /** Another database, with the tables and nobody in them. */
  let other: pg.Pool;
  let url: string;
  let otherUrl: string;
  let text: string;

  /** More rows than one batch, and what is hard to write down. */
  beforeAll(async () => {
    url = await newDatabase();
    const authentication = await openAuthentication(configFor(url));
    await signUp(authentication);
    await signIn(authentication);
    await authentication.close();
    const filling = openAuthPool(url, 'sign-in');
    await filling.query(
      `insert into auth."user" (id, name, email, "emailVerified", image, "createdAt")
        select 'usr_' || n, $1, n || '@example.test', n % 2 = 0, case when n % 3 = 0 then 'x' end, now() + n * interval '1 microsecond'
        from generate_series(1, ${limits.authBackupBatchRows + 1}) n`,
      ['ünï\u2028\r\n\\"{}\u0001🂡'],
    );
    await filling.query(`insert into auth."rateLimit" (id, key, count, "lastRequest") values ('r', 'k', 3, 9007199254740991)`);
    await filling.query(`insert into auth.passkey (id, name, "publicKey", "userId", "credentialID", counter, "deviceType", "backedUp", aaguid)
      values ('psk_1', null, 'pQECAyYgASFY', 'usr_1', 'crd', 4294967295, 'multiDevice', true, '')`);
    await filling.query(`insert into auth.apikey (id, "configId", name, key, "referenceId", permissions, "expiresAt", "createdAt", "updatedAt")
      values ('key_1', 'default', 'Till', 'hash', 'usr_1', '{"accounts":["read"]}', 'infinity', now(), now())`);
    await filling.end();
    otherUrl = await newDatabase();
    await (await openAuthentication(configFor(otherUrl))).close();
  });
  beforeEach(async () => {
    pool = poolOn(url);
    await backupAuth(pool, file);
    text = readFileSync(file, 'utf8');
    other = poolOn(otherUrl);
    await other.query('truncate auth."user", auth."rateLimit", auth.apikey cascade');
  });

  const contents = async (of: pg.Pool): Promise<unknown> => {
    const tables = ['user', 'session', 'account', 'verification', 'rateLimit', 'passkey', 'apikey'];
    const rows = await Promise.all(
      tables.map((table) => of.query<{ t: string }>(`select t::text from auth."${table}" t order by id`)),
    );
    return rows.map((table) => table.rows.map(({ t }) => t));
  };

  it('holds every table and column to the last microsecond', async () => {
    expect(await restoreAuth(other, file)).toEqual({ ok: true, value: 'restored' });
    expect(await contents(other)).toEqual(await contents(pool));
  });

  it('is for its owner alone and replaced in one step', async () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['auth.jsonl']);
    writeFileSync(`${file}.tmp`, 'left by a crash', { mode: 0o644 });
    await backupAuth(pool, file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['auth.jsonl']);
  });

  it('stays as it was when Postgres is lost', async () => {
    const lost = openAuthPool('postgres://postgres@127.0.0.1:1/nowhere', 'sign-in');
    expect(await thrownBy(() => backupAuth(lost, file))).toMatchObject({ name: 'Outage', code: 'postgres-unavailable' });
    await lost.end();
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it.each<[string, (lines: string[]) => string | string[], 'malformed' | 'foreign']>([
    ['is empty', () => '', 'foreign'],
    ['is other JSON', () => '{"hello":"world"}\n', 'foreign'],
    ['is not JSON', () => 'PK\u0003\u0004', 'foreign'],
    ['is of a later version', (lines) => lines.map((line) => line.replace('"version":1', '"version":2')), 'foreign'],
    [
      'has a table that nobody knows',
      (lines) => lines.map((line) => line.replace('"tables":{', '"tables":{"pets":["id"],')),
      'foreign',
    ],
    [
      'has a column that nobody knows',
      (lines) => lines.map((line) => line.replace('"emailVerified",', '"emailVerified","shoe",')),
      'foreign',
    ],
    ['is cut after the header', ([header = '']) => [header, ''], 'malformed'],
    ['is cut before the last line', (lines) => [...lines.slice(0, -2), ''], 'malformed'],
    ['is cut within a row', (lines) => `${lines.slice(0, 3).join('\n')}\n{"table":"us`, 'malformed'],
    ['lacks a row', (lines) => lines.toSpliced(4, 1), 'malformed'],
    ['has a row twice', (lines) => lines.toSpliced(4, 0, lines[4] ?? ''), 'malformed'],
    ['has rows in another order', (lines) => lines.toSpliced(3, 2, lines[4] ?? '', lines[3] ?? ''), 'malformed'],
    ['has a changed value', (lines) => lines.map((line) => line.replace(ADA.email, 'eve@example.test')), 'malformed'],
    [
      'has a date that is none',
      (lines) => lines.map((line) => line.replace(/"createdAt":"[^"]*"/, '"createdAt":"soon"')),
      'malformed',
    ],
    [
      'has a row of no table',
      (lines) => lines.map((line) => line.replace('"table":"session"', '"table":"constructor"')),
      'malformed',
    ],
    ['has a row with a member more', (lines) => lines.map((line) => line.replace('"row":{', '"row":{"more":1,')), 'malformed'],
    ['has a line that is no row', (lines) => lines.toSpliced(2, 0, '[]'), 'malformed'],
    ['goes on after its end', (lines) => [...lines.slice(0, -1), lines[1] ?? '', ''], 'malformed'],
  ])('that %s is refused, and nothing is restored', async (_, change, kind) => {
    const changed = change(text.split('\n'));
    writeFileSync(file, typeof changed === 'string' ? changed : changed.join('\n'));
    const outcome = await restoreAuth(other, file);
    expect(outcome).toMatchObject({ ok: false, error: { code: `auth-backup-${kind}`, file } });
    expect(inspect(outcome)).not.toMatch(/example\.test|eve/);
    expect(await count(other)).toBe(0);
    // The connection and the tables are as good as new.
    writeFileSync(file, text);
    expect(await restoreAuth(other, file)).toEqual({ ok: true, value: 'restored' });
  });

  it('is restored once when two processes start at once', async () => {
    const outcomes = await Promise.all([restoreAuth(other, file), restoreAuth(other, file)]);
    expect(outcomes.map((each) => each.ok && each.value).sort()).toEqual(['not-needed', 'restored']);
  });
});
