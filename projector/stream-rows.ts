import { project, projectEvent } from '../src/projection/project.ts';
import type { ProjectedTable } from '../src/projection/row-change.ts';
import { type Row, type Rows, changeRow, headRowOf, noRows, projectedTables, rowKeyOf } from '../src/projection/rows.ts';
import { type Head, headOf } from '../src/receipt/chain.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { ok } from '../src/result.ts';
import type { LedgerEvent } from '../src/stream/event.ts';

/** A row that receipts changed; null for one that is gone. */
export type ChangedRow = { readonly table: ProjectedTable; readonly key: string; readonly row: Row | null };

/** The rows that the receipts of one stream make, in memory. */
export type StreamRows = {
  /** Takes the next receipt, with its event where that is known. Throws TypeError when `project` and the rows disagree: the receipt was checked, so that is a bug. */
  readonly take: (stored: StoredReceipt, event?: LedgerEvent) => void;
  /** Rows that no later receipt changes, of receipts taken since the last call: each receipt's own. */
  readonly settled: () => readonly ChangedRow[];
  /** Rows changed by receipts taken since the last call, the head's among them. */
  readonly changed: () => readonly ChangedRow[];
};

export const streamRows = (stream: Stream): StreamRows => {
  const rows: Rows = noRows();
  const touched = new Map<ProjectedTable, Set<string>>(projectedTables.map((table) => [table, new Set()]));
  let head: Head | null = null;

  const closeHead = (): void => {
    if (head === null) return;
    const at = headRowOf(stream, head);
    const key = rowKeyOf(at.table, at.row);
    rows[at.table].set(key, at.row);
    touched.get(at.table)?.add(key);
    head = null;
  };

  return {
    take: (stored, event) => {
      const projected = event === undefined ? project(stored) : ok(projectEvent(stored, event));
      if (!projected.ok) throw new TypeError(`a receipt that was checked cannot be projected: ${projected.error.detail}`);
      for (const change of projected.value.changes) {
        const done = changeRow(rows, change);
        if (!done.ok) throw new TypeError(`the projection contradicts itself: ${done.error.detail}`);
        touched.get(change.table)?.add(rowKeyOf(change.table, change.op === 'insert' ? change.row : change.key));
      }
      head = headOf(stored);
    },
    settled: () => {
      const rowsOfReceipts = [...rows.receipts].map(([key, row]) => ({ table: 'receipts' as const, key, row }));
      rows.receipts.clear();
      touched.get('receipts')?.clear();
      return rowsOfReceipts;
    },
    changed: () => {
      closeHead();
      const changes: ChangedRow[] = [];
      for (const [table, keys] of touched) {
        for (const key of keys) changes.push({ table, key, row: rows[table].get(key) ?? null });
        keys.clear();
      }
      // No later receipt changes the row of an earlier one.
      rows.receipts.clear();
      return changes;
    },
  };
};
