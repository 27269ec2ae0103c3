import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { simulatedClock } from '../../../test/crash/clock.ts';
import { granted } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { limits } from '../../limits.ts';
import { boundsOf, monthOf, parseMonth } from '../../port/meter.ts';
import { Outage } from '../../port/outage.ts';
import { derivedUlid, parseAccountId } from '../../receipt/ids.ts';
import { openMeter } from './meter.ts';
import { openPool } from './pool.ts';

const account = (name: string) => granted(parseAccountId(`acc_${derivedUlid('test/meter', name)}`));
const january = monthOf(Date.UTC(2026, 0, 31));
const february = monthOf(Date.UTC(2026, 1, 1));
const clock = simulatedClock(Date.UTC(2026, 0, 31, 23, 59));

let database: TestDatabase;
let pool: pg.Pool;
let login: pg.Client;
beforeAll(async () => {
  database = await freshDatabase();
  pool = openPool({ url: database.url });
  login = new pg.Client(database.url);
  await login.connect();
});
beforeEach(() => login.query('TRUNCATE ops.usage'));
afterAll(async () => {
  await Promise.all([pool.end(), login.end()]);
  await database.drop();
});

describe('the meter in Postgres', () => {
  it('adds what each process counted, by account and month', async () => {
    const meters = [openMeter(pool, clock), openMeter(pool, clock)];
    for (const meter of meters) {
      meter.count(account('a'));
      meter.count(account('a'));
      meter.count(account('b'));
    }
    const later = openMeter(pool, simulatedClock(Date.UTC(2026, 1, 1)));
    later.count(account('a'));
    await Promise.all([...meters, later].map((meter) => meter.flush()));
    await meters[0]?.flush(); // nothing is counted twice
    expect(await later.commands(account('a'), january)).toBe(4);
    expect(await later.commands(account('a'), february)).toBe(1);
    expect(await later.commands(account('b'), january)).toBe(2);
    expect(await later.commands(account('c'), january)).toBe(0);
  });

  it('hands over more accounts than one statement takes', async () => {
    const meter = openMeter(pool, clock);
    const names = Array.from({ length: limits.meteredAccounts + 3 }, (_, i) => `many-${i}`);
    for (const name of names) meter.count(account(name));
    await meter.flush();
    const { rows } = await login.query('SELECT count(*)::integer AS n, sum(commands)::integer AS sum FROM ops.usage');
    expect(rows).toEqual([{ n: names.length, sum: names.length }]);
  });

  it('keeps what it counted while the database is away', async () => {
    const away = openPool({ url: 'postgres://nobody@127.0.0.1:1/nothing' });
    const meter = openMeter(away, clock);
    meter.count(account('a'));
    await expect(meter.flush()).rejects.toBeInstanceOf(Outage);
    await expect(meter.flush()).rejects.toBeInstanceOf(Outage);
    await away.end();
  });

  it('shows an account’s row to nobody else', async () => {
    const meter = openMeter(pool, clock);
    meter.count(account('a'));
    await meter.flush();
    expect((await pool.query('SELECT * FROM ops.usage')).rows).toEqual([]);
    expect((await login.query('SELECT account_id FROM ops.usage')).rows).toEqual([{ account_id: account('a') }]);
  });
});

describe('a month', () => {
  it('is of UTC, and ends where the next begins', () => {
    expect([january, february]).toEqual(['2026-01', '2026-02']);
    expect(boundsOf(january)).toEqual({ from: '2026-01-01T00:00:00.000Z', until: '2026-02-01T00:00:00.000Z' });
    expect(boundsOf(monthOf(Date.UTC(2026, 11, 5))).until).toBe('2027-01-01T00:00:00.000Z');
  });

  it.each(['2026-00', '2026-13', '2026-1', '1999-01', '3000-01', '2026-01-01', ' 2026-01', '', null, 202601])(
    'is not %j',
    (text) => {
      expect(parseMonth(text)).toBeNull();
    },
  );
});
