import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { columnsOf } from '../src/adapter/postgres/columns.ts';
import { limits } from '../src/limits.ts';
import type { ProjectedTable } from '../src/projection/row-change.ts';
import { type Row, projectedTables } from '../src/projection/rows.ts';
import { copyLine } from './copy-text.ts';

/** Fills tables that nobody reads yet, with one COPY after another. */
export type CopyLoader = {
  /** Takes a row; holds at most a batch of each table. Resolves when another may come. Throws as `pg`, maybe for an earlier row. */
  readonly add: (table: ProjectedTable, row: Row) => void | Promise<void>;
  /** Sends what is held and waits for everything to be in the tables. */
  readonly flush: () => Promise<void>;
};

type Held = { readonly columns: readonly string[]; text: string };

export const copyLoader = (client: pg.ClientBase, schema: string): CopyLoader => {
  const held = new Map<ProjectedTable, Held>(projectedTables.map((table) => [table, { columns: columnsOf(table), text: '' }]));
  /** The batch on its way, while the next one is being filled. */
  let sending: Promise<void> = Promise.resolve();

  const send = async (table: ProjectedTable, { columns }: Held, text: string): Promise<void> => {
    const before = sending;
    const copy = `COPY ${schema}.${table} (${columns.join(', ')}) FROM STDIN`;
    sending = before.then(() => pipeline(Readable.from([Buffer.from(text)]), client.query(copyFrom(copy))));
    // Whoever sends next, or flushes, hears of a failure.
    sending.catch(() => undefined);
    await before;
  };

  return {
    add: (table, row) => {
      const batch = held.get(table);
      if (batch === undefined) throw new TypeError(`no table ${table}`);
      batch.text += copyLine(batch.columns, row);
      if (batch.text.length < limits.copyBatchChars) return undefined;
      const { text } = batch;
      batch.text = '';
      return send(table, batch, text);
    },
    flush: async () => {
      for (const [table, batch] of held) {
        const { text } = batch;
        batch.text = '';
        if (text !== '') await send(table, batch, text);
      }
      await sending;
    },
  };
};
