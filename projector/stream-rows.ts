import { project } from '../src/projection/project.ts';
import { type Rows, changeRow, headRowOf, noRows, rowKeyOf } from '../src/projection/rows.ts';
import { type Head, headOf } from '../src/receipt/chain.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import type { Stream } from '../src/receipt/stream.ts';

/** The rows that the receipts of one stream make, in memory. */
export type StreamRows = {
  readonly rows: Rows;
  /** Takes the next receipt. Throws TypeError when `project` and the rows disagree: the receipt was checked, so that is a bug. */
  readonly take: (stored: Pick<StoredReceipt, 'receipt' | 'position'>) => void;
  /** Puts the head's row there too, once the last receipt was taken. */
  readonly close: () => void;
};

export const streamRows = (stream: Stream): StreamRows => {
  const rows = noRows();
  let head: Head | null = null;
  return {
    rows,
    take: (stored) => {
      const projected = project(stored);
      if (!projected.ok) throw new TypeError(`a receipt that was checked cannot be projected: ${projected.error.detail}`);
      for (const change of projected.value.changes) {
        const changed = changeRow(rows, change);
        if (!changed.ok) throw new TypeError(`the projection contradicts itself: ${changed.error.detail}`);
      }
      head = headOf(stored);
    },
    close: () => {
      const at = head === null ? null : headRowOf(stream, head);
      if (at !== null) rows[at.table].set(rowKeyOf(at.table, at.row), at.row);
    },
  };
};
