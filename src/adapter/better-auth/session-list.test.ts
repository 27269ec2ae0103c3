import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { limits } from '../../limits.ts';
import type { Authentication } from '../../port/authentication.ts';
import { type UserId, parseUserId } from '../../receipt/ids.ts';
import { openAuthPool } from './auth-database.ts';
import { openAuthentication } from './authentication.ts';
import { type Credentials, bearer, configFor, cookie, get, post, signIn, signUp } from './sign-in.fixture.ts';

let database: TestDatabase;
let authentication: Authentication;
let other: Authentication;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  authentication = await openAuthentication(configFor(database.url));
  other = await openAuthentication(configFor(database.url));
});
afterAll(async () => {
  await authentication.close();
  await other.close();
  await database.drop();
});

let users = 0;
const newUser = async (): Promise<Credentials> => {
  const who = { email: `user${users++}@example.test`, password: '0123456789' };
  await signUp(authentication, who);
  return who;
};
const idOf = ({ userId }: { userId: string }): UserId => {
  const id = parseUserId(userId);
  if (!id.ok) throw new Error(userId);
  return id.value;
};
const sessionIdOf = async (token: string): Promise<string> => (await authentication.session(bearer(token)))?.sessionId ?? '';

it('lists the live sessions of a user, the newest first, and never a token', async () => {
  const who = await newUser();
  const first = await signIn(authentication, who);
  const request = post('/sign-in/email', who, { 'user-agent': 'Firefox' });
  const second = await authentication.handle(request, '192.0.2.7');
  const secondToken = second.headers.get('set-auth-token') ?? '';
  const sessions = await other.sessions(idOf(first));
  expect(sessions).toEqual([
    {
      sessionId: await sessionIdOf(secondToken),
      createdAt: expect.stringMatching(/Z$/),
      expiresAt: expect.stringMatching(/Z$/),
      clientAddress: '192.0.2.7',
      userAgent: 'Firefox',
    },
    // In tests better-auth makes up an address where it knows none.
    expect.objectContaining({ sessionId: await sessionIdOf(first.token), userAgent: null }),
  ]);
  expect(JSON.stringify(sessions)).not.toContain(first.bareToken);

  const pool = openAuthPool(database.url, 'sign-in');
  await pool.query(`update auth.session set "expiresAt" = now() - interval '1 second' where token = $1`, [first.bareToken]);
  expect(await authentication.sessions(idOf(first))).toHaveLength(1);
  const many = `insert into auth.session (id, token, "userId", "expiresAt", "createdAt", "updatedAt")
    select 'ses_' || n, 'token' || n, $1, now() + interval '1 day', now(), now() from generate_series(1, $2) n`;
  await pool.query(many, [first.userId, limits.sessionsPerUser]);
  await pool.end();
  expect(await authentication.sessions(idOf(first))).toHaveLength(limits.sessionsPerUser);
});

it('ends a session by its id at once, in every process, and for its user alone', async () => {
  const [ada, eve] = [await newUser(), await newUser()];
  const [one, two, hers] = [
    await signIn(authentication, ada),
    await signIn(authentication, ada),
    await signIn(authentication, eve),
  ];
  const sessionId = await sessionIdOf(one.token);
  expect(await authentication.revokeSession(idOf(hers), sessionId)).toBe(false);
  expect(await other.session(bearer(one.token))).not.toBeNull();
  expect(await authentication.revokeSession(idOf(one), sessionId)).toBe(true);
  for (const carried of [bearer(one.token), cookie(one.cookie)]) expect(await other.session(carried)).toBeNull();
  expect(await (await other.handle(get('/get-session', { cookie: one.cookie }))).json()).toBeNull();
  expect(await other.session(bearer(two.token))).not.toBeNull();
  expect(await authentication.revokeSession(idOf(one), sessionId)).toBe(false);
});

it.each([[{}], [{ revokeOtherSessions: false }]])(
  'ends every other session when the password is changed, asked with %j',
  async (more) => {
    const who = await newUser();
    const [one, two] = [await signIn(authentication, who), await signIn(authentication, who)];
    const change = { currentPassword: who.password, newPassword: 'another password', ...more };
    const answer = await authentication.handle(post('/change-password', change, { cookie: one.cookie }));
    expect(answer.status).toBe(200);
    expect(await authentication.session(bearer(two.token))).toBeNull();
    // Its own session goes on under a new token.
    expect(await authentication.session(bearer(one.token))).toBeNull();
    const { token } = (await answer.json()) as { token: string };
    expect(await authentication.session(bearer(token))).toMatchObject({ userId: one.userId });
    expect(token.split('.')).toHaveLength(2);
  },
);

it('tells a page that reads its session nothing that its cookie keeps from it', async () => {
  const { cookie: value, bareToken } = await signIn(authentication, await newUser());
  for (const request of [get('/get-session', { cookie: value }), post('/get-session', {}, { cookie: value })]) {
    const answer = await authentication.handle(request);
    const text = await answer.text();
    expect(text).toContain('"expiresAt"');
    expect(text).not.toContain(bareToken);
  }
});
