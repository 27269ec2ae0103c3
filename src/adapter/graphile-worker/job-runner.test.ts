import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { systemClock } from '../../port/clock.ts';
import { type DoJob, type Job, JobPostponed } from '../../port/jobs.ts';
import { Outage } from '../../port/outage.ts';
import { jobOfRow } from '../job-row.ts';
import { type JobRunner, startJobRunner } from './job-runner.ts';

const batch = (batchId: string): Job => ({ kind: 'batch', batchId });
const redo = (target: string): Job => {
  const job = jobOfRow('redo', { eventId: '01HF7YAT00ZY2HFVSMAQJQ9NN0', target, kind: 'issue-code-pack' });
  if (job === null) throw new Error('not a job');
  return job;
};
const nameOf = (job: Job): string => (job.kind === 'redo' ? job.item.target : job.kind === 'batch' ? job.batchId : job.kind);

/** What was done, and by whom; a job named here waits until it is let go. */
type Work = { readonly done: string[]; readonly held: Map<string, Promise<void>>; readonly doJob: (who: string) => DoJob };
const work = (): Work => {
  const done: string[] = [];
  const held = new Map<string, Promise<void>>();
  const doJob = (who: string) => async (job: Job) => {
    const name = nameOf(job);
    done.push(`${who} begins ${name}`);
    await held.get(name);
    done.push(`${who} did ${name}`);
  };
  return { done, held, doJob };
};

let database: TestDatabase;
let admin: pg.Client;
const runners: JobRunner[] = [];
const start = async (doJob: DoJob): Promise<JobRunner> => {
  const runner = await startJobRunner({ databaseUrl: database.url, doJob, clock: systemClock, log: pino({ level: 'silent' }) });
  runners.push(runner);
  return runner;
};
const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await sleep(5);
};
const rows = async (text: string): Promise<Record<string, unknown>[]> => (await admin.query<Record<string, unknown>>(text)).rows;
const jobs = () => rows('SELECT * FROM graphile_worker.jobs ORDER BY id');
const empty = async () => (await jobs()).length === 0;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  admin = new pg.Client(database.url);
  await admin.connect();
});
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop()));
  await admin.query('DELETE FROM graphile_worker._private_jobs');
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

describe('the job runner', () => {
  it('makes its schema once, however many processes start at once on an empty database', async () => {
    const { done, held, doJob } = work();
    const free = Promise.withResolvers<void>();
    held.set('once', free.promise);
    const many = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((who) => start(doJob(who))));
    await Promise.all(many.map((runner) => runner.add([redo('once')])));
    free.resolve();
    await until(empty);
    expect(done.filter((line) => line.endsWith('did once'))).toHaveLength(1);
  });

  it('does a job that is added while it waits or is being done only once', async () => {
    const { done, held, doJob } = work();
    const free = Promise.withResolvers<void>();
    held.set('x', free.promise);
    const [one, other] = [await start(doJob('one')), await start(doJob('other'))];
    await one.add([redo('x'), redo('x')]);
    await until(() => done.length > 0);
    await other.add([redo('x')]);
    expect(await jobs()).toHaveLength(1);
    free.resolve();
    await until(empty);
    expect(done.filter((line) => line.endsWith('did x'))).toHaveLength(1);
    await one.add([redo('x')]);
    await until(() => done.filter((line) => line.endsWith('did x')).length === 2);
  });

  it('does batches one after another, and other jobs beside them', async () => {
    const { done, held, doJob } = work();
    const free = Promise.withResolvers<void>();
    held.set('bat_1', free.promise);
    const [one, other] = [await start(doJob('w')), await start(doJob('w'))];
    await one.add([batch('bat_1')]);
    await until(() => done.length > 0);
    await other.add([batch('bat_2'), redo('x')]);
    await until(() => done.includes('w did x'));
    expect(done).not.toContain('w begins bat_2');
    free.resolve();
    await until(empty);
    expect(done.slice(-3)).toEqual(['w did bat_1', 'w begins bat_2', 'w did bat_2']);
  });

  it('tries a failed job again, keeps no words of the error but a code, and lets no back-off grow', async () => {
    let tries = 0;
    const runner = await start(() => {
      if (++tries < 3) throw new JobPostponed('signer-unavailable');
      return Promise.resolve();
    });
    await runner.add([redo('x')]);
    await until(async () => (await jobs()).some(({ last_error, locked_at }) => last_error !== null && locked_at === null));
    expect(await jobs()).toMatchObject([{ attempts: 1, last_error: 'signer-unavailable' }]);

    await admin.query(
      `SELECT graphile_worker.reschedule_jobs(array(SELECT id FROM graphile_worker.jobs), now() + interval '6 hours', attempts => 24)`,
    );
    await runner.tidy();
    expect(await rows(`SELECT attempts, run_at < now() + interval '61 s' AS soon FROM graphile_worker.jobs`)).toEqual([
      { attempts: 1, soon: true },
    ]);
    await runner.add([redo('x')]);
    expect(tries, 'a sweep does not shorten the back-off').toBe(1);
  });

  it('drops a job that is none of ours, and goes on', async () => {
    const { done, doJob } = work();
    const runner = await start(doJob('w'));
    await admin.query(`SELECT graphile_worker.add_job('redo', '{"eventId":"x"}')`);
    await runner.add([redo('x')]);
    await until(empty);
    expect(done).toContain('w did x');
  });

  it('goes on when the queue is dropped under it: the tables are made again', async () => {
    const { done, doJob } = work();
    vi.spyOn(console, 'trace').mockReturnValue(undefined); // where the library shows a worker's last error
    const runner = await start(doJob('w'));
    await admin.query('DROP SCHEMA graphile_worker CASCADE');
    await expect(runner.tidy()).rejects.toBeInstanceOf(Outage);
    await until(() =>
      runner.add([redo('x')]).then(
        () => true,
        () => false,
      ),
    );
    await until(() => done.includes('w did x'));
  });

  it('tells the jobs under way to stop, waits for them, and leaves them to others', async () => {
    const begun = Promise.withResolvers<void>();
    const patient: DoJob = (_, signal) => {
      begun.resolve();
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new JobPostponed('stopping'))));
    };
    const leaving = await start(patient);
    await leaving.add([batch('bat_1')]);
    await begun.promise;
    await Promise.all([leaving.stop(), leaving.stop()]);
    expect(await jobs()).toMatchObject([{ locked_at: null, last_error: 'stopping' }]);
    await expect(leaving.add([redo('x')])).rejects.toBeInstanceOf(Outage);
  });
});

/** Starts a program of its own, in a directory of its own, that runs one runner and prints what begins. */
const program = async (directory: string) => {
  const here = (name: string) => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  const text = `
    import { startJobRunner } from ${here('./job-runner.ts')};
    import { systemClock } from ${here('../../port/clock.ts')};
    import { pino } from ${JSON.stringify(import.meta.resolve('pino'))};
    const doJob = async (job) => { console.log('begins'); await new Promise(() => setTimeout(() => undefined, 60_000)); };
    await startJobRunner({ databaseUrl: process.argv[2], doJob, clock: systemClock, log: pino({ level: 'silent' }) });
    console.log('runs');`;
  await writeFile(join(directory, 'program.mjs'), text);
  const child = spawn(process.execPath, ['program.mjs', database.url], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (said += part));
  return { child, said: () => said, ended: once(child, 'exit') };
};

describe('another process', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pixpax-jobs-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('that dies in the middle of its jobs leaves them to the next sweep, not to the hours the library waits', async () => {
    const { done, doJob } = work();
    const dying = await program(directory);
    await until(() => dying.said().includes('runs'));
    await admin.query(
      `SELECT graphile_worker.add_job('batch', '{"batchId":"bat_1"}', queue_name => 'batches', job_key => 'batch:bat_1')`,
    );
    await until(() => dying.said().includes('begins'));
    const runner = await start(doJob('heir'));
    await runner.tidy();
    expect(await jobs(), 'a living process keeps its jobs').toMatchObject([{ locked_by: expect.any(String) }]);
    dying.child.kill('SIGKILL');
    await dying.ended;
    await until(async () => {
      await runner.tidy();
      return (await jobs()).every(({ locked_at }) => locked_at === null);
    });
    await runner.add([redo('nudge')]); // idle workers look again when a job is added, or after a while by themselves
    await until(() => done.includes('heir did bat_1'));
  });

  it('takes no settings from files where it happens to stand, and runs none', async () => {
    await writeFile(join(directory, 'graphile-worker.config.js'), `console.log('was run'); module.exports = { schema: 'x' };`);
    await writeFile(join(directory, 'crontab'), '* * * * * redo');
    const standing = await program(directory);
    await Promise.race([until(() => standing.said().includes('runs')), standing.ended]);
    standing.child.kill('SIGKILL');
    await standing.ended;
    expect(standing.said()).toBe('runs\n');
  });
});
