import type pg from 'pg';
import { connectTo, openPool } from '../../src/adapter/postgres/pool.ts';
import { orOutage } from '../../src/adapter/postgres/postgres-outage.ts';
import { limits } from '../../src/limits.ts';
import type { BatchReport, BatchWork, ReplayWork, Unit } from '../lane.ts';
import { streamRows } from '../stream-rows.ts';
import { type CopyBuffer, copyBuffer } from './copy-buffer.ts';
import { fillingSchemaOf } from './filling.ts';

export type LoadOrder = { readonly databaseUrl: string; readonly schema: string };

/**
 * The work of a replay that fills an empty projection: a stream's rows are folded in memory and then copied, so that no row is ever
 * changed in the database, a unit in one transaction. Nothing that follows from receipts elsewhere (the redo outbox) is written: it was when
 * they were applied. Throws `Outage`.
 */
export const openLoad = async ({ databaseUrl, schema }: LoadOrder): Promise<ReplayWork> => {
  const pool = openPool({ url: databaseUrl, connections: 1, work: 'scans' });
  const client = await connectTo(pool);
  // The swap at the end commits durably, and with it everything before it in the log.
  await orOutage(() => client.query('SET synchronous_commit = off'));
  let turn: Promise<unknown> = Promise.resolve();
  /** One connection, one transaction at a time: resolves when it is the caller's, to whatever gives it back. */
  const takeTurn = async (): Promise<() => void> => {
    const before = turn;
    let end: () => void = () => undefined;
    turn = new Promise<void>((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  };

  return {
    begin: () => null,
    batch: (unit) => (unit === null ? onlyChecked : unitLoad({ client, schema, takeTurn }, unit)),
    finish: async () => {
      client.release();
      await pool.end();
    },
    abandon: async () => {
      client.release(true);
      await pool.end();
    },
  };
};

const onlyChecked: BatchWork = { begin: () => null, end: () => undefined };

type Connection = {
  readonly client: pg.ClientBase;
  readonly schema: string;
  readonly takeTurn: () => Promise<() => void>;
};

const unitLoad = (connection: Connection, unit: Unit): BatchWork => {
  const { client, schema } = connection;
  const buffer = copyBuffer();
  let transaction: { readonly end: () => void } | null = null;

  const send = (): Promise<void> =>
    orOutage(async () => {
      if (transaction === null) {
        transaction = { end: await connection.takeTurn() };
        await client.query('BEGIN');
      }
      await buffer.send(client, schema);
    });
  const sendIfMuch = (): Promise<void> | undefined => (buffer.bytes() > limits.unitBytes ? send() : undefined);

  return {
    begin: (stream) => {
      const folded = streamRows(stream);
      let held = 0;
      return {
        receipt: ({ read, event }) => {
          folded.take(read, event);
          held += 1;
          if (held % limits.foldedReceipts !== 0) return undefined;
          addAll(buffer, folded.settled());
          return sendIfMuch();
        },
        // Of a stream that is not whole, what is true up to its fault: whether that will do is for the caller to say.
        end: () => {
          addAll(buffer, folded.changed());
          return sendIfMuch();
        },
      };
    },
    end: async (report) => {
      try {
        await send();
        await orOutage(() => close(client, schema, unit, report));
      } finally {
        transaction?.end();
      }
    },
  };
};

const addAll = (buffer: CopyBuffer, rows: ReturnType<ReturnType<typeof streamRows>['changed']>): void => {
  for (const { table, row } of rows) if (row !== null) buffer.add(table, row);
};

/** A crash before the commit: nothing of the unit is there, and somebody else takes it over. After it: all of it, marked as done. */
const close = async (client: pg.ClientBase, schema: string, { unit, worker }: Unit, report: BatchReport): Promise<void> => {
  const { rowCount } = await client.query(
    `UPDATE ${fillingSchemaOf(schema)}.units SET done_at = now(), streams = $3, receipts = $4, report = $5
      WHERE unit = $1 AND worker = $2 AND done_at IS NULL`,
    [unit, worker, report.streams, report.receipts, JSON.stringify(report)],
  );
  // Somebody took us for dead and has taken it over: theirs counts.
  await client.query(rowCount === 1 ? 'COMMIT' : 'ROLLBACK');
};
