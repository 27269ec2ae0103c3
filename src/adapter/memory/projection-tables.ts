import type { Application, ApplyOutcome } from '../../port/read-model.ts';
import type { RowChange } from '../../projection/row-change.ts';
import { type Row, type Rows, changeRow, headRowOf, noRows, rowKeyOf } from '../../projection/rows.ts';
import { eventIdAt } from '../../receipt/key-path.ts';
import type { Stream } from '../../receipt/stream.ts';
import { indexRow, rowWithDigest } from './digest-index.ts';

/** A row of `ops.redo_outbox`. */
export type RedoRow = { readonly event_id: string; readonly target: string; readonly kind: string; readonly created_at: string };

/** The database itself. It outlives the read models opened on it, as Postgres outlives a process, and tests may look into it. */
export type MemoryTables = {
  rows: Rows;
  /** By event id and target, joined by NUL. A wipe of the projection leaves it alone. */
  readonly redo: Map<string, RedoRow>;
  /** Counts the times the projection was made. */
  made: number;
};

export const memoryTables = (): MemoryTables => ({ rows: noRows(), redo: new Map(), made: 1 });

/** The row that holds a stream's head, or null. The row of a stream of another account is not this stream's. */
export const headRow = (rows: Rows, stream: Stream): Row | null => {
  const row = headRowAnyAccount(rows, stream);
  return row !== null && isOf(stream, row) ? row : null;
};

const isOf = (stream: Stream, row: Row): boolean => !('accountId' in stream) || row.account_id === stream.accountId;

const headRowAnyAccount = (rows: Rows, stream: Stream): Row | null => {
  switch (stream.type) {
    case 'account':
      return rows.account_ledger_heads.get(stream.accountId) ?? null;
    case 'pixbook':
      return rows.pixbook_ledger_heads.get(stream.bookId) ?? null;
    case 'collection':
      return rows.collection_ledger_heads.get(stream.collectionId) ?? null;
    case 'code':
      return rows.code_ledger_heads.get(stream.codeId) ?? null;
  }
};

/** Applies one receipt as the port says, all or nothing. Throws, having changed nothing, when a row is not as its change demands. */
export const applyTo = (tables: MemoryTables, application: Application): ApplyOutcome => {
  const { stream, head, projected } = application;
  const { rows, redo } = tables;
  const next = headRowOf(stream, head);
  const current = headRowAnyAccount(rows, stream);
  if (current !== null && headRow(rows, stream) === null) return 'different';
  const nextPosition = current === null ? 0 : Number(current.position) + 1;
  if (nextPosition < head.position) return 'behind';
  if (nextPosition > head.position) {
    const there = current?.position === head.position ? current : rows.receipts.get(head.eventId);
    return there?.hash === head.hash && there.event_id === head.eventId ? 'already' : 'different';
  }
  if (current !== null && current.event_id !== eventIdAt(stream, head.position - 1)) return 'different';
  changeAll(rows, projected.changes);
  rows[next.table].set(rowKeyOf(next.table, next.row), next.row);
  for (const { target, kind } of projected.redo) {
    const key = `${head.eventId}\0${target}`;
    if (!redo.has(key)) redo.set(key, { event_id: head.eventId, target, kind, created_at: head.createdAt });
  }
  return 'applied';
};

/** One change after another; the first that cannot be made undoes those before it. */
const changeAll = (rows: Rows, changes: readonly RowChange[]): void => {
  const undo: (() => void)[] = [];
  for (const change of changes) {
    const table = rows[change.table];
    const key = rowKeyOf(change.table, change.op === 'insert' ? { ...change.row } : { ...change.key });
    const before = table.get(key);
    const fault = digestIsTaken(rows, change) ? { detail: 'an idempotency digest that is taken' } : failureOf(rows, change);
    if (fault !== null) {
      for (const step of undo.reverse()) step();
      throw new Error(`the projection refuses a receipt: ${fault.detail}`);
    }
    undo.push(() => (before === undefined ? table.delete(key) : table.set(key, before)));
    if (change.op === 'insert' && change.table === 'receipts') indexRow(rows.receipts, change.row);
  }
};

const failureOf = (rows: Rows, change: RowChange): { readonly detail: string } | null => {
  const changed = changeRow(rows, change);
  return changed.ok ? null : changed.error;
};

/** Invariant I3, as the unique index in Postgres has it. */
const digestIsTaken = (rows: Rows, change: RowChange): boolean => {
  if (change.op !== 'insert' || change.table !== 'receipts') return false;
  return rowWithDigest(rows.receipts, change.row.idempotency_digest) !== undefined;
};
