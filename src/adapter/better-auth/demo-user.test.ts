import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { limits } from '../../limits.ts';
import { type Clock, systemClock } from '../../port/clock.ts';
import { type UserId, parseUserId } from '../../receipt/ids.ts';
import { ok } from '../../result.ts';
import { type SignIn, openSignIn } from './authentication.ts';
import { type DemoUser, ensureDemoUser } from './demo-user.ts';
import { bearer, configFor, post, signIn, signUp, thrownBy } from './sign-in.fixture.ts';

let database: TestDatabase;
let opened: SignIn<null>;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  const result = await openSignIn(configFor(database.url), () => Promise.resolve(ok(null)));
  opened = result.ok ? result.value : result.error;
  pool = opened.pool;
});
afterAll(async () => {
  await opened.authentication.close();
  await database.drop();
});

const userIdOf = (text: string): UserId => {
  const parsed = parseUserId(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
};
const DEMO: DemoUser = {
  userId: userIdOf('usr_01JZ0000000000000000000000'),
  email: 'Demo@example.test',
  password: 'demo demo demo',
};
const ensure = (demo: DemoUser, clock: Clock = systemClock): Promise<string> =>
  ensureDemoUser(pool, { clock, hashPassword: opened.hashPassword, signToken: opened.signToken }, demo);

it('makes the user with its id and its password, and a token that works', async () => {
  const token = await ensure(DEMO);
  expect(await opened.authentication.session(bearer(token))).toMatchObject({ userId: DEMO.userId, via: 'bearer' });
  expect((await signIn(opened.authentication, DEMO)).userId).toBe(DEMO.userId);
});

it('goes on with the token of an earlier start, also when it was signed out of or has expired', async () => {
  const token = await ensure({ ...DEMO, sessionToken: 'demo'.repeat(8) });
  expect(token.split('.')[0]).toBe('demo'.repeat(8));
  expect(await ensure({ ...DEMO, sessionToken: 'demo'.repeat(8) })).toBe(token);
  expect(await opened.authentication.session(bearer('demo'.repeat(8)))).toBeNull();
  const live = () => opened.authentication.session(bearer(token));
  await opened.authentication.handle(post('/sign-out', {}, { authorization: `Bearer ${token}` }));
  expect(await live()).toBeNull();
  await ensure({ ...DEMO, sessionToken: 'demo'.repeat(8) });
  const first = await live();
  expect(first).not.toBeNull();
  await pool.query('update auth.session set "expiresAt" = now() - interval \'1 day\' where token = $1', [token.split('.')[0]]);
  expect(await live()).toBeNull();
  await ensure({ ...DEMO, sessionToken: 'demo'.repeat(8) });
  expect(await live()).toEqual(first);
});

it('lets the session last from now on', async () => {
  const now = Date.now() + 5_000;
  const token = await ensure(DEMO, { ...systemClock, now: () => now });
  const { rows } = await pool.query<{ expiresAt: Date }>('select "expiresAt" from auth.session where token = $1', [
    token.split('.')[0],
  ]);
  expect(rows[0]?.expiresAt.getTime()).toBe(now + limits.demoSessionMs);
});

it('leaves a password alone that was changed', async () => {
  const token = await ensure(DEMO);
  const changed = { currentPassword: DEMO.password, newPassword: 'changed changed' };
  await opened.authentication.handle(post('/change-password', changed, { authorization: `Bearer ${token}` }));
  await ensure(DEMO);
  expect((await signIn(opened.authentication, { ...DEMO, password: changed.newPassword })).userId).toBe(DEMO.userId);
});

it('makes one user when it is called at once', async () => {
  const twin = { ...DEMO, userId: userIdOf('usr_twin'), email: 'twin@example.test', sessionToken: 'T'.repeat(40) };
  expect(await Promise.all([ensure(twin), ensure(twin), ensure(twin)])).toEqual(
    Array(3).fill(opened.signToken(twin.sessionToken)),
  );
  const { rows } = await pool.query('select 1 from auth.account where "userId" = $1', [twin.userId]);
  expect(rows).toHaveLength(1);
});

it.each(['short', 'x'.repeat(31), 'x'.repeat(129), `${'x'.repeat(31)}.`, `${'x'.repeat(31)}%`])(
  'takes no %j for a token',
  async (sessionToken) => {
    expect(await thrownBy(() => ensure({ ...DEMO, sessionToken }))).toBeInstanceOf(TypeError);
  },
);

it('takes neither the address nor the session of somebody else', async () => {
  await signUp(opened.authentication);
  const ada = await signIn(opened.authentication);
  const address = { ...DEMO, userId: userIdOf('usr_other'), email: 'ada@example.test' };
  expect(String(await thrownBy(() => ensure(address)))).toContain('address belongs to another user');
  expect(String(await thrownBy(() => ensure({ ...DEMO, sessionToken: ada.bareToken })))).toContain(
    'token belongs to another user',
  );
  expect(await opened.authentication.session(bearer(ada.token))).toMatchObject({ userId: ada.userId });
});
