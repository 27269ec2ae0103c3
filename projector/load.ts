import { connectTo, openPool } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { copyLoader } from './copy-loader.ts';
import type { ReplayWork } from './lane.ts';
import { streamRows } from './stream-rows.ts';

export type LoadOrder = { readonly databaseUrl: string; readonly schema: string };

/**
 * The work of a replay that fills an empty projection: a stream's rows are folded in memory and then copied, so that no row is ever
 * changed in the database. Nothing that follows from receipts elsewhere (the redo outbox) is written: it was when they were applied.
 * Throws `Outage`.
 */
export const openLoad = async ({ databaseUrl, schema }: LoadOrder): Promise<ReplayWork> => {
  const pool = openPool({ url: databaseUrl, connections: 1, work: 'scans' });
  const client = await connectTo(pool);
  // The swap at the end commits durably, and with it everything before it in the log.
  await orOutage(() => client.query('SET synchronous_commit = off'));
  const loader = copyLoader(client, schema);

  return {
    begin: (stream) => {
      const folded = streamRows(stream);
      return {
        receipt: ({ read }) => folded.take(read),
        end: async ({ whole }) => {
          // A ledger with a stream that is not whole is not swapped in.
          if (!whole) return;
          for (const { table, row } of folded.changed()) {
            const sent = row === null ? undefined : loader.add(table, row);
            if (sent !== undefined) await orOutage(() => sent);
          }
        },
      };
    },
    finish: async () => {
      await orOutage(() => loader.flush());
      client.release();
      await pool.end();
    },
    abandon: async () => {
      client.release(true);
      await pool.end();
    },
  };
};
