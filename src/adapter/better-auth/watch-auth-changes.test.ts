import { expect, it } from 'vitest';
import type { Authentication } from '../../port/authentication.ts';
import type { Clock } from '../../port/clock.ts';
import { type UserId, instantOf } from '../../receipt/ids.ts';
import { err, ok } from '../../result.ts';
import { type WatchedAuthentication, watchAuthChanges } from './watch-auth-changes.ts';

const ADA = 'usr_ada' as UserId;
const KEY = {
  ...{ apiKeyId: 'known', name: 'n', start: 'pixpax_abcde', scopes: [], key: 'pixpax_abcdef' },
  ...{ createdAt: instantOf(0), expiresAt: null, lastUsedAt: null },
};

/** A clock whose sleepers wake when told, or when their signal says so. */
const clockByHand = () => {
  const sleepers: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    random: () => 0,
    sleep: (_, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        sleepers.push(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  return { clock, sleepers };
};

/** Sign-in that answers what the request's path says, and knows the ids that begin with `known`. */
const answering = (log: string[]): Authentication => ({
  sessions: () => Promise.resolve([]),
  revokeSession: (_, sessionId) => Promise.resolve(sessionId.startsWith('known')),
  apiKeys: () => Promise.resolve([]),
  createApiKey: (_, { name }) =>
    Promise.resolve(name === '' ? err({ code: 'too-many-api-keys', detail: '' }) : ok({ ...KEY, name })),
  revokeApiKey: (_, apiKeyId) => Promise.resolve(apiKeyId.startsWith('known')),
  session: () => Promise.resolve(null),
  handle: (request) => Promise.resolve(new Response(null, { status: Number(new URL(request.url).pathname.slice(1)) })),
  close: () => {
    log.push('close');
    return Promise.resolve();
  },
});

const watching = (backup?: () => Promise<void>) => {
  const log: string[] = [];
  const { clock, sleepers } = clockByHand();
  const watched = watchAuthChanges(answering(log), {
    clock,
    backup: () => {
      log.push('backup');
      return backup?.() ?? Promise.resolve();
    },
    onFailure: (error) => log.push(String(error)),
  });
  const ask = (method: string, status: number) => watched.handle(new Request(`http://a.test/${status}`, { method }));
  return { log, sleepers, watched, ask };
};

it.each([
  ['POST', 200, 1],
  ['POST', 302, 1],
  ['POST', 401, 0],
  ['POST', 500, 0],
  ['GET', 200, 0],
])('a %s answered %i schedules %i backups', async (method, status, backups) => {
  const { ask, watched, log } = watching();
  await ask(method, status);
  await watched.close();
  expect(log).toEqual([...Array<string>(backups).fill('backup'), 'close']);
});

it.each<readonly [string, (watched: WatchedAuthentication) => Promise<unknown>, number]>([
  ['a session ended', (watched) => watched.revokeSession(ADA, 'known'), 1],
  ['no such session', (watched) => watched.revokeSession(ADA, 'other'), 0],
  ['a key made', (watched) => watched.createApiKey(ADA, { name: 'n', scopes: [], expiresAt: null }), 1],
  ['one key too many', (watched) => watched.createApiKey(ADA, { name: '', scopes: [], expiresAt: null }), 0],
  ['a key revoked', (watched) => watched.revokeApiKey(ADA, 'known'), 1],
  ['no such key', (watched) => watched.revokeApiKey(ADA, 'other'), 0],
  ['a look at both', (watched) => Promise.all([watched.sessions(ADA), watched.apiKeys(ADA)]), 0],
])('%s schedules as many backups as it changed', async (_, change, backups) => {
  const { watched, log } = watching();
  await change(watched);
  await watched.close();
  expect(log).toEqual([...Array<string>(backups).fill('backup'), 'close']);
});

it('shares one backup among changes that come together', async () => {
  const { ask, watched, log, sleepers } = watching();
  await Promise.all([ask('POST', 200), ask('POST', 200), ask('POST', 200)]);
  expect(sleepers).toHaveLength(1);
  await watched.close();
  expect(log).toEqual(['backup', 'close']);
});

it('backs up again what changed while a backup ran', async () => {
  const first = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const { ask, watched, log, sleepers } = watching(() => {
    started.resolve();
    return first.promise;
  });
  await ask('POST', 200);
  sleepers[0]?.();
  await started.promise;
  await ask('POST', 200);
  const closed = watched.close();
  expect(log).toEqual(['backup']);
  first.resolve();
  await closed;
  expect(log).toEqual(['backup', 'backup', 'close']);
});

it('tells of a backup that failed, and tries again with the next change', async () => {
  let failures = 1;
  const { ask, watched, log, sleepers } = watching(() =>
    failures-- > 0 ? Promise.reject(new Error('disk full')) : Promise.resolve(),
  );
  await ask('POST', 200);
  sleepers[0]?.();
  await expect.poll(() => log).toEqual(['backup', 'Error: disk full']);
  await ask('POST', 200);
  await watched.close();
  expect(log).toEqual(['backup', 'Error: disk full', 'backup', 'close']);
});
