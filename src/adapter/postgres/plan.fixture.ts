import type pg from 'pg';
import { z } from 'zod';
import { DIRECTORY_ROLE } from './role-names.ts';
import type { Scope } from './scope.ts';

/** A table that was read: how, as `Index Scan packs_pkey`, and how many rows were looked at, whether they were wanted or not. */
export type TableRead = { readonly table: string; readonly how: string; readonly rows: number };

/** What running a statement took. `pages` are those of tables and indexes that were looked at. */
export type Plan = { readonly reads: readonly TableRead[]; readonly pages: number };

const literal = (value: unknown): string => {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return `'${value.replaceAll(`'`, `''`)}'`;
  if (Buffer.isBuffer(value)) return `'\\x${value.toString('hex')}'::bytea`;
  if (Array.isArray(value)) return `ARRAY[${value.map(literal).join(', ')}]`;
  throw new TypeError(`no literal for ${typeof value}`);
};

/** Runs a statement that this connection has prepared, by the plan it would be run by. */
export const runPrepared = async (client: pg.ClientBase, name: string, values: readonly unknown[]): Promise<Plan> => {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE ${name}(${values.map(literal).join(', ')})`,
  );
  const [{ Plan: root }] = z.tuple([z.object({ Plan: node })]).parse(JSON.parse(rows[0]?.['QUERY PLAN'] ?? ''));
  return { reads: readsIn(root), pages: root['Shared Hit Blocks'] + root['Shared Read Blocks'] };
};

/** The same of a statement that is not prepared, and without its values: as the pool plans it when it is first seen. */
export const runOnce = async (client: pg.ClientBase, text: string, values: readonly unknown[]): Promise<Plan> => {
  await client.query(`PREPARE once AS ${text}`);
  try {
    return await runPrepared(client, 'once', values);
  } finally {
    await client.query('DEALLOCATE once');
  }
};

/**
 * As a pool runs it within a scope. The transaction is of the test's making: EXPLAIN and what it explains are one statement, and the scope is
 * another.
 */
export const withinScope = async (client: pg.ClientBase, scope: Scope, plan: () => Promise<Plan>): Promise<Plan> => {
  await client.query('BEGIN');
  if (scope === 'directory') await client.query(`SET LOCAL ROLE ${DIRECTORY_ROLE}`);
  else await client.query(`SELECT set_config('app.account_id', $1, true)`, [scope.accounts.join(',')]);
  const found = await plan();
  await client.query('COMMIT');
  return found;
};

const count = z.number().default(0);

const node = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Index Name': z.string().optional(),
  'Actual Rows': count,
  'Actual Loops': count,
  'Rows Removed by Filter': count,
  'Rows Removed by Index Recheck': count,
  'Shared Hit Blocks': count,
  'Shared Read Blocks': count,
  get Plans() {
    return z.array(node).default([]);
  },
});

const readsIn = (at: z.infer<typeof node>): readonly TableRead[] => {
  const table = at['Relation Name'];
  const looked = at['Actual Rows'] + at['Rows Removed by Filter'] + at['Rows Removed by Index Recheck'];
  const here =
    table === undefined
      ? []
      : [{ table, how: `${at['Node Type']} ${at['Index Name'] ?? ''}`, rows: Math.round(looked * at['Actual Loops']) }];
  return [...here, ...at.Plans.flatMap(readsIn)];
};
