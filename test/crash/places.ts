import type { MemoryTables } from '../../src/adapter/memory/projection-tables.ts';
import type { ReceiptPlaces } from '../../src/command/upkeep.ts';
import type { RedoItem } from '../../src/port/redo-outbox.ts';
import { type RedoKind, redoKinds } from '../../src/projection/row-change.ts';
import { parseEventId, parseReceiptHash } from '../../src/receipt/ids.ts';
import { parsePrefix } from '../../src/receipt/key-path.ts';
import { granted } from '../ledger-fixture.ts';

/** Where the receipts are that a Postgres in memory has applied. */
export const placesIn = (tables: MemoryTables): ReceiptPlaces => ({
  receipt: async (eventId) => {
    const row = tables.rows.receipts.get(eventId);
    if (row === undefined) return null;
    const stream = granted(parsePrefix(String(row.stream)));
    return { stream, position: Number(row.position), hash: granted(parseReceiptHash(row.hash)) };
  },
});

/** What is open in its redo outbox, in the order in which it came. */
export const openItems = ({ redo }: MemoryTables): readonly RedoItem[] =>
  [...redo.values()].map(({ event_id, target, kind }) => ({
    eventId: granted(parseEventId(event_id)),
    target,
    kind: redoKinds.find((known): known is RedoKind => known === kind) ?? 'complete-trade',
  }));

/** Strikes an item off. */
export const closeItem = ({ redo }: MemoryTables, { eventId, target }: RedoItem): void => {
  redo.delete(`${eventId}\0${target}`);
};
