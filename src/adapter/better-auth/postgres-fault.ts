import pg from 'pg';
import { Outage } from '../../port/outage.ts';

/** SQLSTATE classes that blame a value of ours rather than the server: 22 malformed data, 23 a violated constraint. */
const VALUE_AT_FAULT = /^2[23]/;
/** SQLSTATE classes whose message names the server's trouble and never a value: 08, 28, 3D, 42, 53, 55, 57, 58. */
const MESSAGE_HOLDS_NO_VALUE = /^(08|28|3D|3F|42|53|55|57|58)/;

/** Postgres refused a value: a bug of ours or bad input, not an outage. */
export const isValueFault = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && VALUE_AT_FAULT.test(error.code ?? '');

/**
 * What Postgres or its socket threw → `Outage`. Neither the error itself nor a message that may quote a value is passed on: rows of
 * this schema hold password hashes and session tokens, and errors of connecting hold the address with its password.
 */
export const outageOf = (error: unknown): Outage => {
  if (error instanceof Outage) return error;
  return new Outage('postgres', 'postgres-unavailable', `sign-in: ${reasonOf(error)}`);
};

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error instanceof pg.DatabaseError) {
    return MESSAGE_HOLDS_NO_VALUE.test(code) ? `Postgres: ${error.message} (${code})` : `Postgres refused a statement (${code})`;
  }
  if (code !== '') return `Postgres cannot be reached (${code})`;
  return error instanceof Error && CONNECTION_LOST.test(error.message)
    ? `Postgres: ${error.message}`
    : 'Postgres does not answer';
};

/** What `pg` says, without a code, when the connection is the trouble. */
const CONNECTION_LOST = /^(Connection terminated|Query read timeout|timeout exceeded|Cannot use a pool)[^:]*$/;
