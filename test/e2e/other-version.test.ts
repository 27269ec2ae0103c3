import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { parseConfig } from '../../src/config.ts';
import { newcomer, startService } from './service.ts';

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pixpax-other-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

/** As if another version of the program had made the projection. */
const ageProjection = async (): Promise<void> => {
  const config = parseConfig({ DATA_DIR: dataDir, PORT: '0' }, dataDir);
  if (!config.ok || config.value.database.kind !== 'embedded') throw new Error('the database should be embedded');
  const postgres = await startEmbeddedPostgres({ directory: config.value.database.directory, log: () => undefined });
  const pool = openPool({ url: postgres.url, role: 'projector' });
  await pool.query(`COMMENT ON SCHEMA projection IS 'projector version 1'`);
  await pool.query('ALTER TABLE projection.accounts DROP COLUMN plan');
  await pool.end();
  await postgres.stop();
};

it('starts on a projection that another version made, and answers as before', async () => {
  const first = await startService(dataDir);
  await first.ready;
  const { api, token } = await newcomer(first.api);
  const { accountId } = (await api.post('/v1/accounts')).body as { accountId: string };
  const before = await api.get(`/v1/accounts/${accountId}`);
  await first.stop();

  await ageProjection();

  const second = await startService(dataDir);
  await second.ready;
  try {
    const after = await second.api.as(token).get(`/v1/accounts/${accountId}`);
    expect([after.status, after.body]).toEqual([200, before.body]);
    expect((await second.api.as(token).post(`/v1/accounts/${accountId}/commands/close`)).status).toBe(201);
  } finally {
    await second.stop();
  }
});
