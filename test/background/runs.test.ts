import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Projector, RunEnd, RunKind } from '../../src/port/runs.ts';
import { granted } from '../ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../postgres.ts';
import { type Ground, type Process, issuer, newGround, processOn } from './ground.ts';

const found: RunEnd = { exitCode: 0, reason: null, report: { verdict: 'valid' }, reportWhole: true };
/** Goes on until it is told to stop. */
const endless: Projector = (_kind, signal) =>
  new Promise((resolve) => {
    const stopped: RunEnd = { exitCode: null, reason: 'service-stopped', report: null, reportWhole: true };
    signal.addEventListener('abort', () => resolve(stopped), { once: true });
  });

let database: TestDatabase;
let ground: Ground;
let processes: Process[] = [];
const open = (): Process => {
  const process = processOn(ground, database.url);
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

const start = async ({ runs }: Process, kind: RunKind): Promise<string> => granted(await runs.start(issuer, kind)).runId;
const until = async ({ runs }: Process, runId: string, status: string) => {
  for (;;) {
    const run = await runs.read(runId);
    if (run?.status === status) return run;
    await sleep(20);
  }
};

describe('a run', () => {
  it('is done by any process, one at a time', async () => {
    const [one, other] = [open(), open()];
    const under = { way: 0, most: 0 };
    const projector: Projector = async () => {
      under.most = Math.max(under.most, ++under.way);
      await sleep(50);
      under.way--;
      return found;
    };
    await Promise.all([one, other].map((each) => each.work({ projector })));
    const runIds = [await start(one, 'drift'), await start(other, 'verify'), await start(one, 'repair')];
    for (const runId of runIds) expect(await until(other, runId, 'finished')).toMatchObject(found);
    expect(under.most).toBe(1);
  });

  it('is ended with the service, and says so', async () => {
    const process = open();
    await process.work({ projector: endless });
    const runId = await start(process, 'rebuild');
    await until(process, runId, 'running');
    await process.stopWork();
    expect(await process.runs.read(runId)).toMatchObject({ status: 'failed', reason: 'service-stopped', exitCode: null });
    expect((await process.login.query('SELECT FROM graphile_worker.jobs')).rowCount).toBe(0);
  });

  it('whose job was lost before it began is found by the next sweep, and done', async () => {
    const process = open();
    await process.work();
    await process.stopWork();
    const runId = await start(process, 'drift');
    await process.login.query('DELETE FROM graphile_worker._private_jobs');
    await process.work({ projector: () => Promise.resolve(found) });
    await until(process, runId, 'finished');
  });

  it('whose process died is found by the next sweep, and ended, and another of its kind may begin', async () => {
    const process = open();
    await process.work();
    await process.stopWork();
    const runId = await start(process, 'verify');
    await process.login.query(`UPDATE ops.runs SET status = 'running', started_at = created_at WHERE status = 'queued'`);
    await process.login.query('DELETE FROM graphile_worker._private_jobs');
    expect(await process.runs.start(issuer, 'verify')).toMatchObject({ ok: false, error: { code: 'run-under-way' } });
    await process.work({ projector: endless });
    expect(await until(process, runId, 'failed')).toMatchObject({ reason: 'interrupted' });
    expect(await process.runs.start(issuer, 'verify')).toMatchObject({ ok: true });
  });
});

describe('counted commands', () => {
  it('are handed over when the service stops', async () => {
    const process = open();
    await process.work();
    const accountId = 'acc_operator' as never;
    process.meter.count(accountId);
    await process.stopWork();
    const { rows } = await process.login.query('SELECT commands::integer FROM ops.usage');
    expect(rows).toEqual([{ commands: 1 }]);
  });
});
