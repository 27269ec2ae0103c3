import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { limits } from '../../src/limits.ts';
import { type TestDatabase, freshDatabase } from '../postgres.ts';
import { type Service, startService } from './service.ts';

/** Two services as a deployment has them: on one Postgres, one store, one set of keys. */
let folder: string;
let database: TestDatabase;
let services: readonly Service[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixpax limits '));
  database = await freshDatabase({ empty: true });
  const shared = {
    DATABASE_URL: database.url,
    RECEIPT_STORE: `fs:${join(folder, 'receipts')}`,
    KEYS_DIR: join(folder, 'keys'),
    AUTH_SECRET: 'a'.repeat(limits.secretMinChars),
    CODE_SECRET: 'c'.repeat(limits.secretMinChars),
    RATE_LIMITS: 'on',
    DEMO: 'off',
  };
  const one = await startService(join(folder, 'one'), shared);
  await one.ready;
  const other = await startService(join(folder, 'other'), shared);
  await other.ready;
  services = [one, other];
});
afterAll(async () => {
  for (const service of services) await service.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** How the services answer so many requests, each of them in turn. */
const inTurn = async (requests: number, path: string, body: unknown) => {
  const answers = [];
  for (let n = 0; n < requests; n++) {
    const service = services[n % services.length];
    if (service !== undefined) answers.push(await service.api.post(path, body));
  }
  return answers;
};

it('two processes count claims of one address together', async () => {
  // On a machine so busy that Postgres is late, each counts for itself for a while: they find together again.
  const together = async () => {
    const answers = await inTurn(3, '/v1/codes/commands/claim', {});
    const left = answers.map(({ headers }) => Number(/"address-claim";r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]));
    const [first = NaN] = left;
    expect(left).toEqual([first, first - 1, first - 2]);
  };
  await vi.waitFor(together, { timeout: 9 * limits.allowanceRetryMs, interval: limits.allowanceRetryMs });
});

it('says of what the sign-in system refuses how the allowance of the address stands', async () => {
  const body = { email: 'nobody@pixpax.example', password: 'not the password' };
  const answers = await inTurn(limits.passwordTriesPerWindow + 1, '/v1/auth/sign-in/email', body);
  for (const { headers } of answers) expect(headers.get('ratelimit-policy')).toBe('"address-sign-in";q=20;w=60');
  const last = answers.at(-1);
  expect([last?.status, last?.body.code]).toEqual([429, 'rate-limited']);
  expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
});
