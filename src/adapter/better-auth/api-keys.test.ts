import { apiKey, defaultKeyHasher } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { Kysely } from 'kysely';
import type pg from 'pg';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { type Scope, scopes } from '../../access/permission.ts';
import { limits } from '../../limits.ts';
import type { ApiKeyResource, Authentication } from '../../port/authentication.ts';
import { type Clock, systemClock } from '../../port/clock.ts';
import { type Instant, type UserId, instantOf, parseUserId } from '../../receipt/ids.ts';
import { KEY_PREFIX, hashApiKey, newApiKey } from './api-key-text.ts';
import { noteKeyUse } from './api-key-use.ts';
import { dialectOn, openAuthPool } from './auth-database.ts';
import { openAuthentication } from './authentication.ts';
import { betterAuthOptions } from './better-auth-options.ts';
import { permissionsOf, scopesOf } from './key-scopes.ts';
import { sessionLookup } from './session-lookup.ts';
import { ADA, bearer, configFor, get, post, signIn, signUp } from './sign-in.fixture.ts';

let database: TestDatabase;
let authentication: Authentication;
/** Another process on the same database. */
let other: Authentication;
let pool: pg.Pool;
let now = Date.now();
const clock: Clock = { ...systemClock, now: () => now };

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  authentication = await openAuthentication(configFor(database.url, { clock }));
  other = await openAuthentication(configFor(database.url, { clock }));
  pool = openAuthPool(database.url, 'sign-in');
});
afterAll(async () => {
  await authentication.close();
  await other.close();
  await pool.end();
  await database.drop();
});

const idOf = (text: string): UserId => {
  const userId = parseUserId(text);
  if (!userId.ok) throw new Error(text);
  return userId.value;
};
/** Somebody who never signs in: keys are all they need. */
const newUser = async (): Promise<UserId> => {
  const userId = idOf(`usr_${ulid()}`);
  const insert = 'insert into auth."user" (id, name, email, "emailVerified") values ($1, $1, $1, false)';
  await pool.query(insert, [userId]);
  return userId;
};

type Made = ApiKeyResource & { readonly key: string };
type Wanted = { readonly name?: string; readonly scopes?: readonly Scope[]; readonly expiresAt?: Instant | null };

const makeKey = async (userId: UserId, wanted: Wanted = {}): Promise<Made> => {
  const made = await authentication.createApiKey(userId, {
    ...{ name: 'Till', scopes: ['pixbooks:read'], expiresAt: null },
    ...wanted,
  });
  if (!made.ok) throw new Error(made.error.detail);
  return made.value;
};

describe('an API key', () => {
  it('is its user, with its scopes and no more, in every process', async () => {
    const userId = await newUser();
    const { key, apiKeyId } = await makeKey(userId, { scopes: ['pixbooks:read', 'trades:write'] });
    const session = { userId, sessionId: apiKeyId, via: 'api-key', scopes: new Set(['pixbooks:read', 'trades:write']) };
    for (const each of [authentication, other]) {
      expect(await each.session(bearer(key))).toEqual(session);
      expect(await each.session(new Headers({ authorization: `bearer ${key} ` }))).toEqual(session);
    }
  });

  it('is told once and listed without itself', async () => {
    const userId = await newUser();
    const expiresAt = instantOf(now + 60_000);
    const first = await makeKey(userId, { name: 'Erste Kasse ü', scopes: ['trades:write', 'accounts:read'], expiresAt });
    const second = await makeKey(userId);
    expect(first.key).toMatch(/^pixpax_[A-Za-z0-9]{48}$/);
    expect(first.apiKeyId).toMatch(/^key_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    const { key: _first, ...listedFirst } = first;
    const { key: _second, ...listedSecond } = second;
    expect(await other.apiKeys(userId)).toEqual([listedSecond, listedFirst]);
    expect(listedFirst).toEqual({
      ...{ apiKeyId: first.apiKeyId, name: 'Erste Kasse ü', start: first.key.slice(0, 12), expiresAt, lastUsedAt: null },
      ...{ scopes: ['accounts:read', 'trades:write'], createdAt: instantOf(now) },
    });
  });

  it('is in no table', async () => {
    const { key } = await makeKey(await newUser());
    await authentication.session(bearer(key));
    const { rows: tables } = await pool.query<{ t: string }>(`select tablename as t from pg_tables where schemaname = 'auth'`);
    expect(tables.length).toBeGreaterThan(6);
    let hashes = 0;
    for (const { t } of tables) {
      const { rows } = await pool.query<{ text: string }>(`select to_json(t)::text as text from auth."${t}" t`);
      // Nor is what follows the characters that are shown.
      expect([t, rows.filter(({ text }) => text.includes(key.slice(13, 30)))]).toEqual([t, []]);
      hashes += rows.filter(({ text }) => text.includes(hashApiKey(key))).length;
    }
    expect(hashes).toBe(1);
  });

  it.each<[string, (key: string) => string]>([
    ['cut short', (key) => key.slice(0, -1)],
    ['longer', (key) => `${key}a`],
    ['of other letters', (key) => `${key.slice(0, -1)}é`],
    ['with another end', (key) => key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a')],
    ['in capitals', (key) => key.toUpperCase()],
    ['its hash', (key) => `${KEY_PREFIX}${hashApiKey(key)}`],
    ['its hash alone', hashApiKey],
    ['the prefix alone', () => KEY_PREFIX],
    ['of nobody', newApiKey],
  ])('is nobody’s when %s', async (_, spoilt) => {
    const { key } = await makeKey(await newUser());
    const carried = bearer(Buffer.from(spoilt(key)).toString('latin1'));
    expect(await authentication.session(carried)).toBeNull();
  });

  it('ends at once everywhere when it is revoked, once, and by its user alone', async () => {
    const [userId, eve] = [await newUser(), await newUser()];
    const { key, apiKeyId } = await makeKey(userId);
    expect(await authentication.revokeApiKey(eve, apiKeyId)).toBe(false);
    expect(await other.session(bearer(key))).not.toBeNull();
    expect(await authentication.revokeApiKey(userId, apiKeyId)).toBe(true);
    expect(await other.session(bearer(key))).toBeNull();
    expect(await other.apiKeys(userId)).toEqual([]);
    expect(await other.revokeApiKey(userId, apiKeyId)).toBe(false);
  });

  it('ends to the millisecond, and is then as good as revoked', async () => {
    const userId = await newUser();
    const { key, apiKeyId } = await makeKey(userId, { expiresAt: instantOf(now + 1_000) });
    now += 1_000;
    expect(await authentication.session(bearer(key))).not.toBeNull();
    now += 1;
    expect(await authentication.session(bearer(key))).toBeNull();
    expect(await authentication.apiKeys(userId)).toEqual([]);
    expect(await authentication.revokeApiKey(userId, apiKeyId)).toBe(false);
  });

  it.each([
    ['is switched off', 'update auth.apikey set enabled = false where id = $1'],
    ['has permissions that are none', `update auth.apikey set permissions = '{"accounts":' where id = $1`],
    ['belongs to a user who is gone', 'delete from auth."user" where id = (select "referenceId" from auth.apikey where id = $1)'],
  ])('that %s is nobody’s', async (_, change) => {
    const { key, apiKeyId } = await makeKey(await newUser());
    await pool.query(change, [apiKeyId]);
    expect(await authentication.session(bearer(key))).toBeNull();
  });

  it('stands at most so often for one user, however they are made', async () => {
    const userId = await newUser();
    const wanted = { name: 'n', scopes: ['pixbooks:read'], expiresAt: null } as const;
    const made = await Promise.all(
      Array.from({ length: limits.apiKeysPerUser + 5 }, (_, n) =>
        (n % 2 === 0 ? authentication : other).createApiKey(userId, wanted),
      ),
    );
    expect(made.filter(({ ok }) => ok)).toHaveLength(limits.apiKeysPerUser);
    expect(made.find(({ ok }) => !ok)).toMatchObject({ error: { code: 'too-many-api-keys' } });
    const [first] = await authentication.apiKeys(userId);
    await authentication.revokeApiKey(userId, first?.apiKeyId ?? '');
    expect((await authentication.createApiKey(userId, wanted)).ok).toBe(true);
  });
});

describe('to better-auth', () => {
  it('a key is no session at any endpoint, also beside a cookie', async () => {
    await signUp(authentication);
    const { cookie, userId } = await signIn(authentication);
    const { key } = await makeKey(idOf(userId), { scopes });
    for (const carried of [
      { authorization: `Bearer ${key}` },
      { authorization: `Bearer ${key}`, cookie },
      { 'x-api-key': key },
    ]) {
      expect(await (await authentication.handle(get('/get-session', carried))).json()).toBeNull();
      const change = { currentPassword: ADA.password, newPassword: 'another password' };
      expect((await authentication.handle(post('/change-password', change, carried))).status).toBe(401);
      expect((await authentication.handle(get('/passkey/generate-register-options', carried))).status).toBe(401);
      expect((await authentication.handle(post('/update-user', { name: 'x' }, carried))).status).toBe(401);
    }
    const named = { 'x-api-key': key, cookie };
    expect(await (await authentication.handle(get('/get-session', named))).json()).toMatchObject({ user: { id: userId } });
  });

  it('a key is as its own plugin would have made it', async () => {
    const { key, apiKeyId } = await makeKey(await newUser(), { scopes: ['accounts:read', 'accounts:write'] });
    expect(hashApiKey(key)).toBe(await defaultKeyHasher(key));
    const db = new Kysely<unknown>({ dialect: dialectOn(() => pool.connect()) });
    const options = betterAuthOptions(configFor(database.url))(db);
    const auth = betterAuth({ ...options, plugins: [apiKey()] });
    const verify = (actions: string[]) => auth.api.verifyApiKey({ body: { key, permissions: { accounts: actions } } });
    expect(await verify(['read', 'write'])).toMatchObject({ valid: true, key: { id: apiKeyId } });
    expect(await verify(['close'])).toMatchObject({ valid: false });
  });
});

describe('scopes', () => {
  it('are kept and read again, each and all', () => {
    for (const granted of [[], [...scopes], ...scopes.map((scope) => [scope])])
      expect(scopesOf(permissionsOf(granted))).toEqual(granted);
  });

  it('that this version does not know are not granted', () => {
    expect(scopesOf('{"accounts":["read","own"],"moon":["write"],"__proto__":["read"]}')).toEqual(['accounts:read']);
    expect(scopesOf(null)).toEqual([]);
  });

  it.each(['', 'x', '[]', '"accounts:read"', '{"accounts":"read"}', '{"accounts":[1]}'])('are none of %j', (text) => {
    expect(scopesOf(text)).toBeNull();
  });
});

describe('the look-up', () => {
  it('asks for sessions and keys of one turn with one statement, by their indexes', async () => {
    const { key } = await makeKey(await newUser());
    const user = await signIn(authentication);
    const statements: { text: string; values: string[][] }[] = [];
    const query = (statement: { text: string; values: string[][] }): Promise<pg.QueryResult> => {
      statements.push(statement);
      return pool.query(statement);
    };
    const lookUp = sessionLookup(Object.create(pool, { query: { value: query } }) as pg.Pool, clock);
    const byKey = (hash: string) => lookUp({ kind: 'api-key', hash });
    const found = await Promise.all([
      ...[byKey(hashApiKey(key)), byKey(hashApiKey(key)), byKey(hashApiKey(newApiKey()))],
      ...[lookUp({ kind: 'session', token: user.bareToken, via: 'cookie' }), byKey(user.bareToken)],
      lookUp({ kind: 'session', token: hashApiKey(key), via: 'bearer' }),
    ]);
    expect(found.map((each) => each?.via ?? null)).toEqual(['api-key', 'api-key', null, 'cookie', null, null]);
    expect(statements).toHaveLength(1);

    const looking = openAuthPool(database.url, 'look-up');
    const text = (statements[0]?.text ?? '').replaceAll(/\$\d::text\[\]/g, `array['a','b']`);
    const { rows } = await looking.query<{ 'QUERY PLAN': string }>(`explain ${text}`);
    await looking.end();
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('apikey_key_idx');
    expect(plan).toContain('session_token_key');
    expect(plan).not.toContain('Seq Scan');
  });
});

describe('the last use of a key', () => {
  /** The noting on a pool that counts statements and may fail. */
  const counting = () => {
    const written: string[][] = [];
    const sleepers: (() => void)[] = [];
    let fails = false;
    const query = (text: string, values: [string[], Date]): Promise<pg.QueryResult> => {
      written.push(values[0]);
      return fails ? Promise.reject(new Error('gone')) : pool.query(text, values);
    };
    const byHand: Clock = {
      ...clock,
      sleep: (_, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          sleepers.push(resolve);
          signal?.addEventListener('abort', () => resolve(), { once: true });
        }),
    };
    const use = noteKeyUse(Object.create(pool, { query: { value: query } }) as pg.Pool, byHand);
    return { written, sleepers, use, fail: (yes: boolean) => (fails = yes) };
  };
  const lastUse = async (userId: UserId) => (await authentication.apiKeys(userId))[0]?.lastUsedAt ?? null;

  it('is written after a use, and again when a minute is over', async () => {
    const userId = await newUser();
    const { key } = await makeKey(userId);
    const use = async (): Promise<void> => {
      // A process of its own: closing it writes what it noted.
      const process = await openAuthentication(configFor(database.url, { clock }));
      await Promise.all([process.session(bearer(key)), process.session(bearer(key))]);
      await process.close();
    };
    await use();
    const first = now;
    expect(await lastUse(userId)).toBe(instantOf(first));
    now += limits.apiKeyTouchMs - 1;
    await use();
    expect(await lastUse(userId)).toBe(instantOf(first));
    now += 1;
    await use();
    expect(await lastUse(userId)).toBe(instantOf(now));
  });

  it('is one statement for many keys and many uses', async () => {
    const { written, use, sleepers } = counting();
    for (const id of ['key_a', 'key_b', 'key_a', 'key_a']) use.used(id, null);
    use.used('key_c', new Date(now - limits.apiKeyTouchMs + 1));
    expect(sleepers).toHaveLength(1);
    await use.close();
    expect(written).toEqual([['key_a', 'key_b']]);
    await use.close();
    expect(written).toHaveLength(1);
  });

  it('never fails a request, and is noted again at the next use', async () => {
    const { written, use, fail, sleepers } = counting();
    fail(true);
    use.used('key_a', null);
    sleepers[0]?.();
    await expect.poll(() => written).toEqual([['key_a']]);
    fail(false);
    await expect
      .poll(() => {
        use.used('key_a', null);
        return sleepers.length;
      })
      .toBe(2);
    await use.close();
    expect(written).toEqual([['key_a'], ['key_a']]);
  });

  it('does not go back', async () => {
    const userId = await newUser();
    const { apiKeyId } = await makeKey(userId);
    const later = new Date(now + 5_000);
    await pool.query('update auth.apikey set "lastRequest" = $1 where id = $2', [later, apiKeyId]);
    const { use } = counting();
    use.used(apiKeyId, null);
    await use.close();
    expect(await lastUse(userId)).toBe(instantOf(later.getTime()));
  });
});
