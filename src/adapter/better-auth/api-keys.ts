import type pg from 'pg';
import { ulid } from 'ulid';
import { limits } from '../../limits.ts';
import type { ApiKeyResource, Authentication } from '../../port/authentication.ts';
import type { Clock } from '../../port/clock.ts';
import { instantOf } from '../../receipt/ids.ts';
import { err, ok } from '../../result.ts';
import { KEY_PREFIX, hashApiKey, newApiKey, startOf } from './api-key-text.ts';
import { inTransaction } from './auth-database.ts';
import { permissionsOf, scopesOf } from './key-scopes.ts';
import { outageOf } from './postgres-fault.ts';

type Row = {
  readonly id: string;
  readonly name: string | null;
  readonly start: string | null;
  readonly permissions: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastRequest: Date | null;
};

const LIVE = `"referenceId" = $1 and enabled and ("expiresAt" is null or "expiresAt" >= $2)`;
const LIST = `select id, name, start, permissions, "createdAt", "expiresAt", "lastRequest" from auth.apikey
  where ${LIVE} order by "createdAt" desc, id desc limit ${limits.apiKeysPerUser}`;
const REVOKE = `delete from auth.apikey where ${LIVE} and id = $3`;
/** Whoever makes a key for a user waits here for others that do: so they are counted. */
const LOCK_USER = 'select 1 from auth."user" where id = $1 for update';
const COUNT = `select count(*) as n from auth.apikey where ${LIVE}`;
/** `configId` and what the plugin counts requests with are as it writes them; limits are kept elsewhere. */
const ADD = `insert into auth.apikey
  (id, "configId", name, start, prefix, key, "referenceId", enabled, "rateLimitEnabled", "requestCount", permissions,
    "expiresAt", "createdAt", "updatedAt")
  values ($1, 'default', $2, $3, $4, $5, $6, true, false, 0, $7, $8, $9, $9)`;

/**
 * The API keys of users, in the plugin's own table and hashed as it hashes (api-key.test.ts holds both against each other). Written here, for the
 * plugin's endpoint neither counts keys nor knows moments, only whole days from now.
 */
export const apiKeys = (pool: pg.Pool, clock: Clock): Pick<Authentication, 'apiKeys' | 'createApiKey' | 'revokeApiKey'> => ({
  apiKeys: async (userId) => {
    const { rows } = await pool.query<Row>(LIST, [userId, new Date(clock.now())]).catch(rethrow);
    return rows.map(resourceOf);
  },
  createApiKey: (userId, { name, scopes, expiresAt }) =>
    inTransaction(pool, 'read write', async (statements) => {
      const now = new Date(clock.now());
      await statements.query(LOCK_USER, [userId]);
      const { rows } = await statements.query<{ n: number }>(COUNT, [userId, now]);
      if ((rows[0]?.n ?? 0) >= limits.apiKeysPerUser) return err(tooMany);
      const key = newApiKey();
      const row: Row = {
        id: `key_${ulid()}`,
        name,
        start: startOf(key),
        permissions: permissionsOf(scopes),
        createdAt: now,
        expiresAt: expiresAt === null ? null : new Date(expiresAt),
        lastRequest: null,
      };
      const { id, start, permissions } = row;
      await statements.query(ADD, [id, name, start, KEY_PREFIX, hashApiKey(key), userId, permissions, row.expiresAt, now]);
      return ok({ ...resourceOf(row), key });
    }),
  // The row goes: a hash that nobody keeps opens nothing, whatever becomes of `enabled`.
  revokeApiKey: async (userId, apiKeyId) => {
    const { rowCount } = await pool.query(REVOKE, [userId, new Date(clock.now()), apiKeyId]).catch(rethrow);
    return rowCount === 1;
  },
});

const tooMany = {
  code: 'too-many-api-keys',
  detail: `a user has at most ${limits.apiKeysPerUser} API keys: revoke one first`,
} as const;

const resourceOf = ({ id, name, start, permissions, createdAt, expiresAt, lastRequest }: Row): ApiKeyResource => ({
  apiKeyId: id,
  name: name ?? '',
  start: start ?? '',
  scopes: scopesOf(permissions) ?? [],
  createdAt: instantOf(createdAt.getTime()),
  expiresAt: expiresAt && instantOf(expiresAt.getTime()),
  lastUsedAt: lastRequest && instantOf(lastRequest.getTime()),
});

const rethrow = (error: unknown): never => {
  throw outageOf(error);
};
