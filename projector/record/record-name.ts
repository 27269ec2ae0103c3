import { randomBytes } from 'node:crypto';
import { limits } from '../../src/limits.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { type EventId, crockford, parseEventId } from '../../src/receipt/ids.ts';
import { positionOf } from '../../src/receipt/key-path.ts';

const FOLDER = 'verifications/';
const SUFFIX = '.json';

/** The object key of a record's manifest. Records sort by time, and before their chunks. */
export const manifestKey = (name: EventId): string => `${FOLDER}${name}${SUFFIX}`;

/** The name of the newest record in a place, a ULID; null where there is none. What else lies there is passed over. Throws `Outage`. */
export const newestName = async (store: ReceiptStore): Promise<EventId | null> => {
  let newest: EventId | null = null;
  for (let startAfter: string = FOLDER; ; ) {
    const page = await store.list({ prefix: FOLDER, startAfter, limit: limits.listPageKeys });
    for (const key of page) {
      const name = parseEventId(key.slice(FOLDER.length, -SUFFIX.length));
      if (name.ok && key === manifestKey(name.value)) newest = name.value;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < limits.listPageKeys || last > AFTER_MANIFESTS) return newest;
    startAfter = last;
  }
};

/** ULIDs are of digits and upper-case letters. */
const AFTER_MANIFESTS = `${FOLDER}a`;

/** A name for a record made now: newer than any other, whatever the clock says. */
export const nextName = (newest: EventId | null, nowMs: number): EventId => {
  const ms = newest === null ? nowMs : Math.max(nowMs, timeOf(newest) + 1);
  const time = Buffer.alloc(6);
  time.writeUIntBE(ms, 0, 6);
  return (crockford(time, 10) + crockford(randomBytes(10), 16)) as EventId;
};

/** The 48-bit time field of a ULID, in milliseconds since 1970. */
const timeOf = (name: EventId): number => positionOf(name) - positionOf(BEGINNING);

const BEGINNING = '0'.repeat(26) as EventId;
