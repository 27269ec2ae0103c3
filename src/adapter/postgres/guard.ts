import type pg from 'pg';
import { ensureSchemas } from './migrate.ts';
import { isProjectionMissing, orOutage } from './postgres-outage.ts';

/** Runs a call to Postgres; an outage is thrown as `Outage`, anything else as it is. */
export type Guard = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * Guards the calls of one adapter. Where somebody dropped the live projection, it is made anew, empty, and the call runs once more: a
 * wiped projection fills by use, without a restart. Calls that fail together make it together.
 */
export const guardOn = (pool: pg.Pool, schema: string): Guard => {
  if (schema !== 'projection') return orOutage;
  let underWay: Promise<void> | null = null;
  return (call) =>
    orOutage(async () => {
      try {
        return await call();
      } catch (error) {
        if (!isProjectionMissing(error)) throw error;
        underWay ??= ensureSchemas(pool).finally(() => {
          underWay = null;
        });
        await underWay;
        return call();
      }
    });
};
