import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/port/clock.ts';
import type { Projector } from '../../src/port/runs.ts';
import { type IdempotencyKey, SCHEDULE_USER_ID, type UserId, accountIdFor } from '../../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../../src/receipt/key-path.ts';
import { accountStream } from '../../src/receipt/stream.ts';
import { granted } from '../ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../postgres.ts';
import { type Ground, type Process, asks, newGround, processOn } from './ground.ts';

let database: TestDatabase;
let ground: Ground;
let processes: Process[] = [];
const open = (driftEveryHours = 0): Process => {
  const process = processOn(ground, database.url, systemClock, driftEveryHours);
  processes.push(process);
  return process;
};
beforeAll(async () => {
  database = await freshDatabase();
  ground = await newGround();
});
afterEach(async () => {
  await Promise.all(processes.map((process) => process.close()));
  processes = [];
});
afterAll(() => database.drop());

describe('drift by the clock', () => {
  it('is looked for once by all processes when it is time, and told of when it is found', async () => {
    const [one, other] = [open(24), open(24)];
    const asked: string[] = [];
    const projector: Projector = async (kind) => {
      asked.push(kind);
      const report = { drifted: true, heads: [], rows: [{ stream: 'pixpax/accounts/acc_operator' }] };
      return { exitCode: 1, reason: null, report, reportWhole: true };
    };
    await one.login.query(
      `INSERT INTO ops.runs (run_id, kind, user_id, status, created_at, started_at, finished_at, exit_code)
       SELECT 'run_0', 'drift', 'usr_x', 'finished', at, at, at, 0 FROM (SELECT now() - interval '25 hours') AS t(at)`,
    );
    await Promise.all([one, other].map((process) => process.work({ projector })));
    const latest = async () => (await one.runs.list({ after: null, limit: 10 })).rows;
    await expect
      .poll(latest, { timeout: 20_000 })
      .toMatchObject([{ kind: 'drift', userId: SCHEDULE_USER_ID, status: 'finished', exitCode: 1 }, { runId: 'run_0' }]);
    expect(asked).toEqual(['drift']);
    expect([...one.lines, ...other.lines]).toContainEqual(expect.objectContaining({ notice: 'projection-different' }));
  });

  it('is not looked for where nobody asked for it', async () => {
    const process = open();
    await process.login.query('TRUNCATE ops.runs');
    await process.work();
    await process.stopWork();
    expect((await process.runs.list({ after: null, limit: 10 })).rows).toEqual([]);
  });
});

describe('a stream that cannot be gone on with', () => {
  it('is written down by the service that meets it, and shown to who scrapes it', async () => {
    const process = open();
    const user = 'usr_ann' as UserId;
    granted(await process.commands.createAccount(asks('account', user)));
    const accountId = accountIdFor(user, 'account' as IdempotencyKey);
    const stream = accountStream(accountId);
    ground.objects.set(keyAt(stream, 1), Buffer.from('{"poison":1}'));
    // Another process has not touched the stream yet.
    const other = open();
    expect(await other.commands.createIdentity(asks('identity', user), accountId, user)).toMatchObject({
      ok: false,
      error: { code: 'stream-stopped' },
    });
    const quarantined = async () =>
      (await other.login.query<object>('SELECT stream, code, found_by, position FROM ops.quarantined_streams')).rows;
    await expect.poll(quarantined).toEqual([{ stream: prefixOf(stream), code: 'members', found_by: 'service', position: null }]);
    await other.work();
    await expect.poll(() => other.metrics.metrics(), { timeout: 20_000 }).toMatch(/^ledger_quarantined_streams 1$/m);
    expect(await other.metrics.metrics()).toMatch(/^ledger_projection_lag_receipts 0$/m);
  });
});
