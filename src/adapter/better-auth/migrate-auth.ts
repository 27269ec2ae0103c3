import { getMigrations } from 'better-auth/db/migration';
import { Kysely, sql } from 'kysely';
import type pg from 'pg';
import { AUTH_LOCK, AUTH_SCHEMA, dialectOn } from './auth-database.ts';
import type { OptionsOn } from './better-auth-options.ts';
import { outageOf } from './postgres-fault.ts';

/** The plugin looks a passkey up by this alone, and makes no unique index: whoever registered an id second would lock its owner out. */
const ONE_OWNER = `create unique index if not exists passkey_one_owner on ${AUTH_SCHEMA}.passkey ("credentialID")`;

/** An authenticator counts its uses in 32 bits without a sign, and better-auth's numbers have 31. Asked first, for the change locks the table. */
const WHOLE_COUNTERS = `do $$ begin
  if exists (select from pg_attribute where attrelid = '${AUTH_SCHEMA}.passkey'::regclass and attname = 'counter' and atttypid = 'int4'::regtype)
  then alter table ${AUTH_SCHEMA}.passkey alter column counter type bigint; end if;
end $$`;

/**
 * Makes the tables that better-auth misses, in one transaction under one lock: of processes that start at once the first makes them and
 * the others find them. A crash here leaves nothing, which matters: better-auth makes a column's index only together with the column, so
 * one that was left out would never be made up for. Throws `Outage`, and better-auth's own error when a table cannot be migrated.
 */
export const migrateAuth = async (pool: pg.Pool, optionsOn: OptionsOn): Promise<void> => {
  const db = new Kysely<unknown>({ dialect: dialectOn(() => pool.connect()) });
  try {
    await db.transaction().execute(async (transaction) => {
      await sql.raw(AUTH_LOCK).execute(transaction);
      // Its warnings compare type names (`number` with `int8`) and mean nothing; what it cannot do it throws.
      const options = { ...optionsOn(transaction), logger: { disabled: true } };
      const { runMigrations } = await getMigrations(options);
      await runMigrations();
      for (const repair of [ONE_OWNER, WHOLE_COUNTERS]) await sql.raw(repair).execute(transaction);
    });
  } catch (error) {
    throw error instanceof Error && error.name === 'BetterAuthError' ? error : outageOf(error);
  }
};
