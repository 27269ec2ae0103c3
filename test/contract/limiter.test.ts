import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { limiterOver } from '../../src/adapter/limiter-over.ts';
import { memoryLimiter } from '../../src/adapter/memory/limiter.ts';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { openLimiter } from '../../src/adapter/rate-limiter/limiter.ts';
import { postgresCounts } from '../../src/adapter/rate-limiter/postgres-counts.ts';
import { type Counter, windowCounts } from '../../src/adapter/window-counts.ts';
import { limits } from '../../src/limits.ts';
import { systemClock } from '../../src/port/clock.ts';
import type { Allowance } from '../../src/port/limiter.ts';
import { type TestDatabase, freshDatabase } from '../postgres.ts';
import { wireTo } from '../postgres-wire.ts';
import { limiterContract } from './limiter.ts';

const counts = windowCounts(systemClock);
limiterContract('in memory', () => memoryLimiter(systemClock, counts));

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

/** A process. Postgres has all the time it wants, so that a slow machine is no outage. */
const processOn = (url: string, timeoutMs = 20_000) => {
  const told: boolean[] = [];
  const limiter = openLimiter({
    database: openPool({ url, connections: limits.allowanceConnections, timeoutMs }),
    clock: systemClock,
    onShared: (shared) => told.push(shared),
    timeoutMs,
  });
  return { ...limiter, told };
};
limiterContract('in Postgres', () => processOn(database.url));

const allowance: Allowance = { policy: 'reads', subject: '', points: 10, windowMs: 60_000, burst: null, leased: true };
const admitted = async (limiter: ReturnType<typeof processOn>, subject: string): Promise<number> => {
  let count = 0;
  for (let n = 0; n < 2 * allowance.points; n++) if ((await limiter.take([{ ...allowance, subject }])).allowed) count += 1;
  return count;
};
const backAgain = { timeout: 20_000, interval: 20 };

describe('the counts in Postgres', () => {
  it('whose windows are long over are deleted, however many', async () => {
    const pool = openPool({ url: database.url });
    try {
      await pool.query('DELETE FROM ops.rate_limits');
      const keys = async () => (await pool.query<{ key: string }>('SELECT key FROM ops.rate_limits')).rows;
      const over = Date.now() - limits.allowanceGraceMs - 1;
      await pool.query(`INSERT INTO ops.rate_limits SELECT 'old:' || n, 1, $1 FROM generate_series(1, $2::int) AS n`, [
        over,
        2 * limits.allowanceSweepRows + 1,
      ]);
      await pool.query(`INSERT INTO ops.rate_limits VALUES ('young:1', 1, $1)`, [Date.now()]);
      await postgresCounts(pool, systemClock).sweep();
      expect(await keys()).toEqual([{ key: 'young:1' }]);
    } finally {
      await pool.end();
    }
  });

  it('cost a question for few of the requests, fewer the more there is left', async () => {
    const pool = openPool({ url: database.url });
    const counts = postgresCounts(pool, systemClock);
    let questions = 0;
    const counting: Counter = {
      ...counts,
      draw: (counted, asked) => {
        questions += 1;
        return counts.draw(counted, asked);
      },
    };
    try {
      const { take } = limiterOver(counting, systemClock);
      for (let n = 0; n < 300; n++) await take([{ ...allowance, subject: 'many', points: 600 }]);
      expect(questions).toBeLessThan(10);
    } finally {
      await pool.end();
    }
  });
});

describe('while Postgres is gone', () => {
  it('each process counts for itself, and together again when it is back', async () => {
    const wire = await wireTo(database.url);
    const [one, other] = [processOn(wire.url), processOn(wire.url)];
    try {
      expect([await admitted(one, 'before'), await admitted(other, 'before')]).toEqual([10, 0]);
      wire.cut();
      expect([await admitted(one, 'while'), await admitted(other, 'while')]).toEqual([10, 10]);
      expect([one.shared(), other.shared()]).toEqual([false, false]);
      await one.reset([{ ...allowance, subject: 'while' }]);
      expect(await admitted(one, 'while')).toBe(10);

      wire.lead(database.url);
      await vi.waitUntil(() => one.shared() && other.shared(), backAgain);
      expect([await admitted(one, 'after'), await admitted(other, 'after')]).toEqual([10, 0]);
      expect([one.told, other.told]).toEqual([
        [false, true],
        [false, true],
      ]);
    } finally {
      await Promise.all([one.close(), other.close()]);
      await wire.close();
    }
  });

  it('which is so when it hangs, too: no request waits for it twice', async () => {
    const pool = openPool({ url: database.url, role: 'projector' });
    const blocker = await pool.connect();
    const limiter = processOn(database.url, 300);
    try {
      await blocker.query('BEGIN; LOCK TABLE ops.rate_limits IN ACCESS EXCLUSIVE MODE');
      expect(await admitted(limiter, 'hanging')).toBe(10);
      expect(limiter.shared()).toBe(false);
      await blocker.query('ROLLBACK');
      await vi.waitUntil(() => limiter.shared(), backAgain);
    } finally {
      blocker.release();
      await pool.end();
      await limiter.close();
    }
  });

  it('a process that is stopped lets go of everything', async () => {
    const wire = await wireTo(database.url);
    const limiter = processOn(wire.url);
    await admitted(limiter, 'stopping');
    wire.cut();
    await admitted(limiter, 'stopping');
    await limiter.close();
    await wire.close();
  });
});
