import { setTimeout as sleep } from 'node:timers/promises';
import type { MemoryTables } from '../../src/adapter/memory/projection-tables.ts';
import type { LedgerUpkeep } from '../../src/command/ledger-commands.ts';
import type { ReceiptPlaces } from '../../src/command/upkeep.ts';
import { Outage } from '../../src/port/outage.ts';
import type { RedoItem } from '../../src/port/redo-outbox.ts';
import { type RedoKind, redoKinds } from '../../src/projection/row-change.ts';
import { parseEventId, parseReceiptHash } from '../../src/receipt/ids.ts';
import { parsePrefix } from '../../src/receipt/key-path.ts';
import { valid } from './asking.ts';

const ATTEMPTS = 6;
const PAUSE_MS = 500;

/** Where the receipts are that a read model in memory has applied. */
export const placesIn = (tables: MemoryTables): ReceiptPlaces => ({
  receipt: async (eventId) => {
    const row = tables.rows.receipts.get(eventId);
    if (row === undefined) return null;
    const stream = valid(parsePrefix(String(row.stream)));
    return { stream, position: Number(row.position), hash: valid(parseReceiptHash(row.hash)) };
  },
});

/** Strikes an item off the redo outbox: a command has seen to it. */
export const strikeOff = ({ redo }: MemoryTables, { eventId, target }: RedoItem): void => {
  redo.delete(`${eventId}\0${target}`);
};

/**
 * Does what commands left open when the store failed them in the middle, as the service's worker does: nobody comes after us to do it, and a trade
 * that is not settled by the end of the year would be told by whoever verifies. Throws `Outage`, and Error when it cannot be done.
 */
export const finishOpenWork = async (tables: MemoryTables, redo: LedgerUpkeep['redo']): Promise<void> => {
  for (let attempt = 1; tables.redo.size > 0; attempt++) {
    for (const { event_id, target, kind } of tables.redo.values()) {
      const item = { eventId: valid(parseEventId(event_id)), target, kind: kindOf(kind) };
      const outcome = await redo(item).catch((error: unknown) => {
        if (!(error instanceof Outage) || attempt === ATTEMPTS) throw error;
        return null;
      });
      if (outcome?.ok && outcome.value === 'done') strikeOff(tables, item);
      else if (attempt === ATTEMPTS) throw new Error(`${kind} of ${event_id} cannot be finished`);
    }
    if (tables.redo.size > 0) await sleep(PAUSE_MS * attempt);
  }
};

const kindOf = (kind: string): RedoKind => {
  const known = redoKinds.find((one) => one === kind);
  if (known === undefined) throw new TypeError(`no kind of redo: ${kind}`);
  return known;
};
