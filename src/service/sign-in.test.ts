import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../test/postgres.ts';
import { parseConfig } from '../config.ts';
import { demoOperator, demoUser } from './demo.ts';
import { type SignIn, openSignIn } from './sign-in.ts';

let folder: string;
let database: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixpax sign-in '));
  database = await freshDatabase({ empty: true });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await database.drop();
});

const start = async (env: Record<string, string> = {}): Promise<SignIn> => {
  const config = parseConfig({ DATA_DIR: folder, ...env }, folder);
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  return openSignIn(config.value, database.url, pino({ level: 'silent' }));
};
const bearer = (token: string): Headers => new Headers({ authorization: `Bearer ${token}` });
const kept = async (name: string): Promise<string> => (await readFile(join(folder, 'secrets', name), 'utf8')).trim();

it('gives the demo tokens that are signed, the same at each start, and kept for its owner alone', async () => {
  const first = await start();
  const token = first.demo?.token ?? '';
  expect(token).toMatch(/^[0-9a-f]{64}[.][A-Za-z0-9+/]{43}=$/);
  expect(await kept('demo-token')).toBe(token);
  for (const name of ['demo-token', 'demo-operator-token'])
    expect((await stat(join(folder, 'secrets', name))).mode & 0o777).toBe(0o600);
  await first.authentication.close();

  const { authentication, demo } = await start();
  expect(demo?.token).toBe(token);
  expect(await authentication.session(bearer(token))).toMatchObject({ userId: demoUser.userId, via: 'bearer' });
  expect(await authentication.session(bearer(token.slice(0, 64)))).toBeNull();
  const operator = await kept('demo-operator-token');
  expect(await authentication.session(bearer(operator))).toMatchObject({ userId: demoOperator.userId });
  expect((await readdir(join(folder, 'secrets'))).sort()).toEqual(['auth', 'demo-operator-token', 'demo-token']);
  await authentication.close();
});

it('gives others with another secret, and then takes none of the old ones', async () => {
  const old = await kept('demo-token');
  const { authentication, demo } = await start({ AUTH_SECRET: 'another secret of more than enough characters' });
  expect(demo?.token).not.toBe(old);
  expect(await authentication.session(bearer(old))).toBeNull();
  expect(await authentication.session(bearer(demo?.token ?? ''))).toMatchObject({ userId: demoUser.userId });
  await authentication.close();
});
