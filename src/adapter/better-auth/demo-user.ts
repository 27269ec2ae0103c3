import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { ulid } from 'ulid';
import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';
import type { UserId } from '../../receipt/ids.ts';
import { AUTH_LOCK, inTransaction } from './auth-database.ts';
import { isValueFault } from './postgres-fault.ts';
import { isSessionToken } from './session-token.ts';

export type DemoUser = {
  readonly userId: UserId;
  readonly email: string;
  readonly password: string;
  /** The token of an earlier start, as the database has it, to go on with; a new one is made otherwise. */
  readonly sessionToken?: string;
};

const ADD_USER = `insert into auth."user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
  values ($1, 'Demo', $2, false, $3, $3) on conflict (id) do nothing`;
const HAS_PASSWORD = `select 1 from auth.account where "userId" = $1 and "providerId" = 'credential'`;
const ADD_PASSWORD = `insert into auth.account (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
  values ($1, $2, 'credential', $2, $3, $4, $4)`;
const KEEP_SESSION = `insert into auth.session (id, token, "userId", "expiresAt", "createdAt", "updatedAt", "ipAddress", "userAgent")
  values ($1, $2, $3, $4, $5, $5, '', '') on conflict (token) do update
  set "expiresAt" = excluded."expiresAt", "updatedAt" = excluded."updatedAt" where session."userId" = excluded."userId"`;

type DemoParts = {
  readonly clock: Clock;
  readonly hashPassword: (password: string) => Promise<string>;
  readonly signToken: (token: string) => string;
};

/**
 * Makes the demo's user unless it is there (its password is then left alone), and a session with the token given, or prolongs that
 * session to `limits.demoSessionMs` from now. Returns the bearer token, signed. One transaction; may be repeated by any
 * number of processes. A session that was signed out of comes back at the next start: the token is printed for everybody to use. Throws
 * `Outage`, TypeError for a token that cannot be one, and Error when the address or the token belongs to another user.
 */
export const ensureDemoUser = async (
  pool: pg.Pool,
  { clock, hashPassword, signToken }: DemoParts,
  demo: DemoUser,
): Promise<string> => {
  const token = demo.sessionToken ?? randomBytes(32).toString('hex');
  if (!isSessionToken(token)) {
    throw new TypeError(`a session token has ${limits.sessionTokenMinChars} to ${limits.sessionTokenMaxChars} of A-Z a-z 0-9`);
  }
  const now = new Date(clock.now());
  const until = new Date(clock.now() + limits.demoSessionMs);
  try {
    await inTransaction(pool, 'read write', async (statements) => {
      await statements.query(AUTH_LOCK);
      await statements.query(ADD_USER, [demo.userId, demo.email.toLowerCase(), now]);
      const { rowCount } = await statements.query(HAS_PASSWORD, [demo.userId]);
      if (rowCount === 0) await statements.query(ADD_PASSWORD, [ulid(), demo.userId, await hashPassword(demo.password), now]);
      const kept = await statements.query(KEEP_SESSION, [`ses_${ulid()}`, token, demo.userId, until, now]);
      if (kept.rowCount === 0) throw new Error("the demo's session token belongs to another user");
    });
  } catch (error) {
    throw isValueFault(error) ? new Error("the demo's e-mail address belongs to another user") : error;
  }
  return signToken(token);
};
