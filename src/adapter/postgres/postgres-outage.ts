import pg from 'pg';
import { limits } from '../../limits.ts';
import { Outage } from '../../port/outage.ts';

/**
 * SQLSTATEs that say something about the server rather than about our statement: 08 connection, 28 authorisation, 53 out of
 * resources (53300 too many connections), 57 shut down, cancelled or timed out, 58 its files, 3D no such database,
 * 25006 a standby, 42501 no permission, 55P03 lock not given in time. 42P01 and 3F000: somebody dropped the projection.
 */
const SERVER_STATES = /^(08...|28...|53...|57...|58...|3D000|25006|42501|55P03|42P01|3F000)$/;

/** What `pg` says, without a code, when the connection is the trouble. */
const CONNECTION_LOST =
  /^(Connection terminated|Connection ended|Query read timeout|timeout exceeded|timeout expired|Client (has encountered|was closed)|Cannot use a pool)/;

/** The tables a statement names are not there: the schema was dropped under a running program. */
export const isProjectionMissing = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (error.code === '42P01' || error.code === '3F000');

/** Deadlock, serialization, a lock that was not given in time: nothing was changed, and repeating the statement is right. */
export const isRivalry = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && ['40P01', '40001', '55P03'].includes(error.code ?? '');

/** Runs a single statement again while Postgres ends it in favour of a rival. Throws as `call`. */
export const againstRivals = async <T>(call: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isRivalry(error) || attempt >= limits.databaseRivalAttempts) throw error;
    }
  }
};

/**
 * The outage behind an error of `pg`, or null when it is no outage: a violated constraint or a malformed row is a bug, or a receipt that
 * cannot be. The message is the server's or the socket's, which hold neither password nor row; nothing else is passed on.
 */
export const outageOf = (error: unknown): Outage | null => {
  if (error instanceof Outage) return error;
  if (error instanceof pg.DatabaseError) {
    const state = error.code ?? '';
    // 42501 too, and no trouble of the server's: a statement would have written a row of a tenant that it does not serve.
    if (error.routine === 'ExecWithCheckOptions') return null;
    // A projection with other columns took the place of the one it was prepared for. The connection is thrown away, and the next asks anew.
    if (state === '0A000' && error.message.startsWith('cached plan')) return unavailable(`Postgres: ${error.message} (${state})`);
    return SERVER_STATES.test(state) ? unavailable(`Postgres: ${error.message} (${state})`) : null;
  }
  if (!(error instanceof Error)) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^E(?!RR_)[A-Z_]{2,}$/.test(code)) return unavailable(`Postgres cannot be reached (${code})`);
  return CONNECTION_LOST.test(error.message) ? unavailable(`Postgres: ${error.message}`) : null;
};

/** Runs a call to Postgres; an outage is thrown as `Outage`, anything else as it is. */
export const orOutage = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    throw outageOf(error) ?? error;
  }
};

/** While connecting every failure is an outage: name resolution, TLS, authentication, a server that is starting. */
export const connectOutage = (error: unknown): Outage => {
  const known = outageOf(error);
  if (known !== null) return known;
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return unavailable(`Postgres does not let us in: ${error instanceof Error ? error.message : 'no reason given'}${code}`);
};

/** `message` must not hold a secret. */
export const unavailable = (message: string): Outage => new Outage('postgres', 'postgres-unavailable', message);
