import pg from 'pg';
import { limits } from '../../limits.ts';
import { Outage } from '../../port/outage.ts';

const settingsOf = (url: string): pg.ClientConfig => ({
  connectionString: url,
  connectionTimeoutMillis: limits.databaseConnectMs,
  statement_timeout: limits.databaseTimeoutMs,
  query_timeout: limits.databaseTimeoutMs,
  application_name: 'pixpax-jobs',
  keepAlive: true,
});

type Connected = Parameters<pg.Pool['connect']>[0];

/**
 * A pool that lets a connection be given back twice. The library does so with the one it listens on when that breaks while it is stopping, where nobody
 * catches what the second time throws: it would end the process.
 */
class PatientPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(connected: Connected): void;
  override connect(connected?: Connected): Promise<pg.PoolClient> | undefined {
    if (connected === undefined) return super.connect();
    super.connect((error, client, release) => {
      let isReleased = client === undefined; // then there is nothing to give back
      connected(error, client, (broken) => {
        if (!isReleased) release(broken);
        isReleased = true;
      });
    });
  }
}

/** The library's own pool: it reads rows with `pg`'s own types, and keeps one connection to listen on. The caller ends it. */
export const openJobPool = (url: string): pg.Pool => {
  const pool = new PatientPool({ ...settingsOf(url), max: limits.jobConnections, idleTimeoutMillis: limits.databaseIdleMs });
  // A connection that breaks, idle or in use, is its next statement's error and must not end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
};

/**
 * One session, which Postgres notices the end of within a minute even when the machine is gone: by default it would wait for hours. Throws
 * `Outage`. The caller ends it.
 */
export const openSession = async (url: string): Promise<pg.Client> => {
  const session = new pg.Client(settingsOf(url));
  session.on('error', () => undefined);
  try {
    await session.connect();
    await session.query('SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3');
    return session;
  } catch (error) {
    session.end().catch(() => undefined);
    throw jobOutage(error);
  }
};

/** Whatever goes wrong between Postgres and the queue is an outage: nothing is lost by it, and all of it is tried again. */
export const jobOutage = (error: unknown): Outage => {
  if (error instanceof Outage) return error;
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  const message = error instanceof Error ? error.message : 'no reason given';
  return new Outage('postgres', 'postgres-unavailable', `the job queue in Postgres: ${message}${code}`);
};
