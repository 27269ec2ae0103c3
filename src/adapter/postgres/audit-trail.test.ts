import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { granted } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import type { AuditEntry } from '../../port/audit-trail.ts';
import { Outage } from '../../port/outage.ts';
import { instantOf, parseUserId } from '../../receipt/ids.ts';
import { openAuditTrail } from './audit-trail.ts';
import { openPool } from './pool.ts';
import { APP_ROLE } from './role-names.ts';

const user = (name: string) => granted(parseUserId(name));
const entry = (n: number, changes: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ entryId: `aud_${String(n).padStart(26, '0')}`, askedId: null, at: instantOf(Date.UTC(2026, 0, 1) + n) },
  ...{ userId: user('usr_operator'), via: 'bearer', sessionId: 'ses_1', operation: 'startRun', target: null },
  ...{ status: null, outcome: 'asked', requestId: 'req-1' },
  ...changes,
});
const anyone = { userId: null, operation: null };

let database: TestDatabase;
let pool: pg.Pool;
let login: pg.Client;
beforeAll(async () => {
  database = await freshDatabase();
  pool = openPool({ url: database.url });
  login = new pg.Client(database.url);
  await login.connect();
});
beforeEach(() => login.query('TRUNCATE ops.audit_trail'));
afterAll(async () => {
  await Promise.all([pool.end(), login.end()]);
  await database.drop();
});

describe('the audit trail in Postgres', () => {
  it('gives back what was added, newest first, page by page', async () => {
    const trail = openAuditTrail(pool);
    const whole = entry(2, {
      askedId: entry(1).entryId,
      target: 'acc_operator',
      status: 403,
      outcome: 'forbidden',
      via: 'api-key',
    });
    for (const each of [entry(1), whole, entry(3)]) await trail.add(each);
    expect(await trail.entries(anyone, { after: null, limit: 2 })).toEqual({ rows: [entry(3), whole], hasMore: true });
    expect(await trail.entries(anyone, { after: whole.entryId, limit: 2 })).toEqual({ rows: [entry(1)], hasMore: false });
  });

  it('is narrowed by user, by operation and by both', async () => {
    const trail = openAuditTrail(pool);
    const [eve, list] = [user('usr_eve'), 'listRuns'];
    for (const each of [
      entry(1),
      entry(2, { userId: eve }),
      entry(3, { operation: list }),
      entry(4, { userId: eve, operation: list }),
    ])
      await trail.add(each);
    const numbers = async (userId: AuditEntry['userId'] | null, operation: string | null, after: string | null = null) =>
      (await trail.entries({ userId, operation }, { after, limit: 10 })).rows.map(({ entryId }) => Number(entryId.slice(4)));
    expect(await numbers(eve, null)).toEqual([4, 2]);
    expect(await numbers(null, list)).toEqual([4, 3]);
    expect(await numbers(eve, list)).toEqual([4]);
    expect(await numbers(eve, null, entry(4).entryId)).toEqual([2]);
  });

  it('can be added to and read by the service, and neither changed nor shortened', async () => {
    await openAuditTrail(pool).add(entry(1));
    for (const text of ["UPDATE ops.audit_trail SET outcome = 'x'", 'DELETE FROM ops.audit_trail', 'TRUNCATE ops.audit_trail'])
      await expect(pool.query(text)).rejects.toMatchObject({ code: '42501' });
    await expect(openAuditTrail(pool).add(entry(1))).rejects.toMatchObject({ code: '23505' });
    const { rows } = await login.query<{ rights: string }>(
      `SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type) AS rights
       FROM information_schema.table_privileges WHERE table_schema = 'ops' AND table_name = 'audit_trail' AND grantee = $1`,
      [APP_ROLE],
    );
    expect(rows).toEqual([{ rights: 'INSERT, SELECT' }]);
  });

  it('throws an outage when the database is away', async () => {
    const elsewhere = openPool({ url: 'postgres://nobody@127.0.0.1:1/nothing' });
    await expect(openAuditTrail(elsewhere).add(entry(1))).rejects.toBeInstanceOf(Outage);
    await elsewhere.end();
  });
});
