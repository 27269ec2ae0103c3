import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { columnsOf, typeOf } from '../../src/adapter/postgres/columns.ts';
import { limits } from '../../src/limits.ts';
import type { ProjectedTable } from '../../src/projection/row-change.ts';
import { type Row, projectedTables } from '../../src/projection/rows.ts';
import { COPY_HEADER, COPY_TRAILER, type CopyBytes, type CopyColumn, addCopyRow } from './copy-row.ts';

/** Rows on their way into tables that nobody reads yet. */
export type CopyBuffer = {
  readonly add: (table: ProjectedTable, row: Row) => void;
  /** How much is held. */
  readonly bytes: () => number;
  /** Puts what is held into the tables of a schema, in the client's transaction: one COPY a table. Throws as `pg`. */
  readonly send: (client: pg.ClientBase, schema: string) => Promise<void>;
};

type Held = CopyBytes & { readonly columns: readonly CopyColumn[] };

export const copyBuffer = (): CopyBuffer => {
  const held = new Map<ProjectedTable, Held>();
  const heldFor = (table: ProjectedTable): Held => {
    const there = held.get(table);
    if (there !== undefined) return there;
    const columns = columnsOf(table).map((name) => ({ name, type: typeOf(table, name) }));
    const fresh = { columns, bytes: Buffer.allocUnsafe(FIRST_BYTES), length: 0 };
    held.set(table, fresh);
    return fresh;
  };

  return {
    add: (table, row) => {
      const into = heldFor(table);
      addCopyRow(into, into.columns, row);
    },
    bytes: () => [...held.values()].reduce((sum, { length }) => sum + length, 0),
    send: async (client, schema) => {
      for (const table of projectedTables) {
        const rows = held.get(table);
        if (rows === undefined) continue;
        held.delete(table);
        const names = rows.columns.map(({ name }) => name).join(', ');
        const copy = `COPY ${schema}.${table} (${names}) FROM STDIN (FORMAT binary)`;
        await pipeline(Readable.from(piecesOf(rows)), client.query(copyFrom(copy)));
      }
    },
  };
};

const FIRST_BYTES = 64 * 1024;

/** Postgres holds a message whole, so none is large. */
function* piecesOf({ bytes, length }: CopyBytes): Iterable<Buffer> {
  yield COPY_HEADER;
  for (let at = 0; at < length; at += limits.copyMessageBytes)
    yield bytes.subarray(at, Math.min(length, at + limits.copyMessageBytes));
  yield COPY_TRAILER;
}
