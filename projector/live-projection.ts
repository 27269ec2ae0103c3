import pg from 'pg';
import { checkSchema } from '../src/adapter/postgres/migrate.ts';
import { KEYS_APPLICATION, queryOn } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { noTenant } from '../src/adapter/postgres/scope.ts';
import { Outage } from '../src/port/outage.ts';
import { noHeadsSql, receiptsAppliedSql } from './head-differences.ts';

/** The schema that the service reads and writes. */
export const LIVE = 'projection';

/**
 * `whole`: as this program makes it. `empty`: the same without a single receipt applied. `other`: of another version, or damaged.
 */
export type LiveState = 'whole' | 'empty' | 'other' | 'missing';

/** What is there now; anybody may change it a moment later. Throws `Outage`. */
export const liveStateOf = (pool: pg.Pool): Promise<LiveState> =>
  orOutage(async () => {
    const [found] = await queryOn<{ there: boolean }>(pool, noTenant, {
      text: `SELECT to_regnamespace('${LIVE}') IS NOT NULL AS there`,
    });
    if (found?.there !== true) return 'missing';
    const whole = await checkSchema(pool, LIVE).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Outage) return false;
        throw error;
      },
    );
    // Had Postgres been the trouble, this would say so.
    if (!whole) return (await queryOn(pool, noTenant, { text: 'SELECT 1' })) && 'other';
    const [rows] = await queryOn<{ empty: boolean }>(pool, noTenant, { text: `SELECT ${noHeadsSql(LIVE)} AS empty` });
    return rows?.empty === true ? 'empty' : 'whole';
  });

/** SQLSTATEs after which the whole transaction is worth another try: no lock in time, deadlock, and a schema that came or went. */
const PASSING = new Set(['55P03', '40P01', '42P06', '42P01', '3F000']);

export const isPassing = (error: unknown): boolean => error instanceof pg.DatabaseError && PASSING.has(error.code ?? '');

/** Receipts that the live projection has applied: how many a rebuild will read, more or less. Null where there is none to ask. Throws `Outage`. */
export const receiptsApplied = async (pool: pg.Pool): Promise<number | null> => {
  if ((await liveStateOf(pool)) !== 'whole') return null;
  const [row] = await orOutage(() => queryOn<{ receipts: number }>(pool, noTenant, { text: receiptsAppliedSql(LIVE) }));
  return row?.receipts ?? null;
};

/** Who else is at work: `service`, one is connected to the database; `here`, and Postgres is on this machine, as that service may be. */
export type Company = 'none' | 'service' | 'here';

/** Whether anybody looks rows up by key in this database now, as services do. Throws `Outage`. */
export const companyIn = async (pool: pg.Pool): Promise<Company> => {
  const [row] = await orOutage(() =>
    queryOn<{ company: Company }>(pool, noTenant, {
      text: `SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = '${KEYS_APPLICATION}')
               THEN 'none' WHEN inet_client_addr() IS NOT DISTINCT FROM inet_server_addr() THEN 'here' ELSE 'service' END AS company`,
    }),
  );
  return row?.company ?? 'none';
};
