import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startJobRunner } from '../../src/adapter/graphile-worker/job-runner.ts';
import { type Clock, systemClock } from '../../src/port/clock.ts';
import { parseEventId } from '../../src/receipt/ids.ts';
import { granted } from '../ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../postgres.ts';
import { type Wire, wireTo } from '../postgres-wire.ts';

const ROUNDS = 20;
const CUTS = 15;

let database: TestDatabase;
let wire: Wire;
const strays: unknown[] = [];
const stray = (error: unknown): void => void strays.push(error);
beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  wire = await wireTo(database.url);
});
afterAll(async () => {
  await wire.close();
  await database.drop();
});
beforeEach(() => {
  process.on('unhandledRejection', stray).on('uncaughtException', stray);
});
afterEach(() => {
  process.off('unhandledRejection', stray).off('uncaughtException', stray);
});

/** Back-offs pass sooner, so that there are more breaks in the same time. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 25, signal) };

describe('the job runner', () => {
  it('survives a connection that breaks at any moment: starting, idle, in a job, stopping', async () => {
    vi.spyOn(console, 'trace').mockReturnValue(undefined);
    const eventId = granted(parseEventId('01HF7YAT00ZY2HFVSMAQJQ9NN0'));
    const doJob = async () => {
      await sleep(Math.random() * 60);
      if (Math.random() < 0.2) throw new Error('a bug');
    };
    let target = 0;
    for (let round = 0; round < ROUNDS; round++) {
      wire.lead(database.url);
      const runner = await startJobRunner({ databaseUrl: wire.url, doJob, clock: hasty, log: pino({ level: 'silent' }) });
      const work = async () => {
        for (let n = 0; n < 10; n++) {
          const item = { eventId, target: `t${target++}`, kind: 'complete-trade' } as const;
          await runner.add([{ kind: 'redo', item }]).catch(() => sleep(5));
          await runner.tidy().catch(() => undefined);
        }
      };
      for (let cut = 0; cut < CUTS; cut++) {
        const working = work();
        await sleep(Math.random() * 120);
        wire.cut();
        await sleep(Math.random() * 60);
        if (cut + 1 < CUTS || round % 2 === 0) wire.lead(database.url);
        await working;
      }
      await runner.stop();
    }
    expect(strays).toEqual([]);
  });
});
