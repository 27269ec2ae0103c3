import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { inspect } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import type { Authentication } from '../../port/authentication.ts';
import { type UserId, parseUserId } from '../../receipt/ids.ts';
import { newApiKey } from './api-key-text.ts';
import { openAuthPool } from './auth-database.ts';
import { openAuthentication } from './authentication.ts';
import { ADA, SECRET, type SignedIn, bearer, configFor, cookie, get, post, signIn, signUp, thrownBy } from './sign-in.fixture.ts';
import type { SignInFault } from './sign-in-config.ts';

/** The server's own password, or one that it does not ask for. */
let password = 'canary-p@ssword';

let database: TestDatabase;
/** A wire to Postgres that can be cut. */
let wire: Server;
const sockets = new Set<Socket>();
let authentication: Authentication;
let ada: SignedIn;
const reported: SignInFault[] = [];
let url: string;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  const target = new pg.Client(database.url);
  wire = createServer((near) => {
    const far = target.host.startsWith('/')
      ? connect(`${target.host}/.s.PGSQL.${target.port}`)
      : connect(target.port, target.host);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one));
      one.pipe(other);
    }
  });
  wire.listen(0, '127.0.0.1');
  await once(wire, 'listening');
  const through = new URL('postgres://127.0.0.1');
  through.port = String((wire.address() as AddressInfo).port);
  through.pathname = `/${target.database}`;
  through.username = target.user ?? '';
  password = target.password ?? password;
  through.password = encodeURIComponent(password);
  url = through.href;
  authentication = await openAuthentication(configFor(url, { report: (fault) => reported.push(fault) }));
  await signUp(authentication);
  ada = await signIn(authentication);
});
afterAll(async () => {
  await authentication.close();
  await cut();
  await database.drop();
});

const expectNoSecretIn = (value: unknown): void => {
  const text = inspect(value, { depth: 9, showHidden: true });
  for (const secret of [SECRET, password, encodeURIComponent(password), ADA.email, ADA.password, ada.token, ada.bareToken]) {
    expect(text).not.toContain(secret);
  }
};

const cut = async (): Promise<void> => {
  for (const socket of sockets) socket.destroy();
  if (wire.listening) await new Promise((resolve) => wire.close(resolve));
};
const mend = async (): Promise<void> => {
  wire.listen(Number(new URL(url).port), '127.0.0.1');
  await once(wire, 'listening');
};

const adaId = (): UserId => {
  const userId = parseUserId(ada.userId);
  if (!userId.ok) throw new Error(ada.userId);
  return userId.value;
};

const calls: readonly (readonly [what: string, call: () => Promise<unknown>])[] = [
  ['a session by bearer token', () => authentication.session(bearer(ada.token))],
  ['a session by cookie', () => authentication.session(cookie(ada.cookie))],
  ['a sign-up', () => signUp(authentication, { email: 'late@example.test', password: 'late late late' })],
  ['a sign-in', () => authentication.handle(post('/sign-in/email', ADA))],
  ['a sign-out', () => authentication.handle(post('/sign-out', {}, { cookie: ada.cookie }))],
  ['the end of all sessions', () => authentication.handle(post('/revoke-sessions', {}, { cookie: ada.cookie }))],
  ['a look at the session', () => authentication.handle(get('/get-session', { cookie: ada.cookie }))],
  ['a session by API key', () => authentication.session(bearer(newApiKey()))],
  ['a list of sessions', () => authentication.sessions(adaId())],
  ['the end of a session', () => authentication.revokeSession(adaId(), 'ses_1')],
  ['a list of API keys', () => authentication.apiKeys(adaId())],
  ['a new API key', () => authentication.createApiKey(adaId(), { name: 'n', scopes: [], expiresAt: null })],
  ['the end of an API key', () => authentication.revokeApiKey(adaId(), 'key_1')],
  ['a challenge', () => authentication.handle(get('/passkey/generate-authenticate-options'))],
  ['a look at the passkeys', () => authentication.handle(get('/passkey/list-user-passkeys', { cookie: ada.cookie }))],
  ['a new start', () => openAuthentication(configFor(url))],
];

describe('without Postgres', () => {
  it('each call is an outage that holds no secret, and all work again afterwards', async () => {
    await cut();
    try {
      for (const [what, call] of calls) {
        const error = await thrownBy(call);
        expect([what, error]).toEqual([
          what,
          expect.objectContaining({ name: 'Outage', code: 'postgres-unavailable', dependency: 'postgres' }),
        ]);
        expectNoSecretIn(error);
      }
    } finally {
      await mend();
    }
    expect(await authentication.session(bearer(ada.token))).toMatchObject({ userId: ada.userId });
    expect((await signIn(authentication)).userId).toBe(ada.userId);
  });

  it('a request without a token needs no Postgres', async () => {
    await cut();
    try {
      expect(await authentication.session(new Headers())).toBeNull();
      for (const malformed of ['short', ada.bareToken, 'pixpax_', 'pixpax_short'])
        expect(await authentication.session(bearer(malformed))).toBeNull();
      expect(await authentication.session(cookie(ada.cookie.replace(/.$/, 'x')))).toBeNull();
    } finally {
      await mend();
    }
  });
});

describe('without the tables', () => {
  it('each call is an outage too, not a user who is not there', async () => {
    const pool = openAuthPool(database.url, 'sign-in');
    await pool.query('alter schema auth rename to away');
    try {
      for (const [what, call] of calls.slice(0, -1)) {
        expect([what, await thrownBy(call)]).toEqual([what, expect.objectContaining({ code: 'postgres-unavailable' })]);
      }
    } finally {
      await pool.query('alter schema away rename to auth');
      await pool.end();
    }
  });
});

describe('a Postgres that does not let us in', () => {
  it('is an outage that says why and hides the password', async () => {
    const refused = new URL(url);
    refused.pathname = '/a_database_that_is_not_there';
    const error = await thrownBy(() => openAuthentication(configFor(refused.href)));
    expect(error).toMatchObject({ code: 'postgres-unavailable', message: expect.stringContaining('does not exist') });
    expectNoSecretIn(error);
  });
});

it('reports no secret either', () => expectNoSecretIn(reported));
