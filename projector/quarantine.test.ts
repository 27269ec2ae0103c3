import { describe, expect, it } from 'vitest';
import { type MemoryObjects, memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { digestTables } from '../src/adapter/postgres/digest.ts';
import { openPool, withClient } from '../src/adapter/postgres/pool.ts';
import { openQuarantine } from '../src/adapter/postgres/quarantine.ts';
import { instantOf } from '../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { granted } from '../test/ledger-fixture.ts';
import { drift } from './drift.ts';
import { type LedgerScope, scopeBelow } from './ledger-scope.ts';
import { type LiveDatabase, expectedDump, liveDatabase } from './projection.fixture.ts';
import { noteQuarantine, quarantined } from './quarantine.ts';
import { rebuild } from './rebuild.ts';
import { repairDatabase } from './repair-database.ts';
import { storeSource } from './store-source.ts';
import { type SmallLedger, issuer, objectsOf, resigned, setText, smallLedger, textAt } from './tampering.fixture.ts';

/** What may be wrong with bookA at position 2, by the code that names it. */
const poisons: readonly (readonly [string, string, (objects: MemoryObjects, small: SmallLedger) => unknown])[] = [
  [
    'a flipped byte',
    'members',
    (objects, { bookA }) => {
      const bytes = Buffer.from(textAt(objects, bookA, 2));
      bytes[10] = (bytes[10] ?? 0) ^ 1;
      objects.set(keyAt(bookA, 2), bytes);
    },
  ],
  [
    'a forged signature',
    'issuer-not-authorised',
    async (objects, { ledger, bookA, bert }) => {
      const [, , stored] = ledger.receiptsOf(bookA);
      if (stored === undefined) throw new RangeError('there is no such receipt');
      const changes = { issuer: await issuer(bert, 1), payload: { ...stored.receipt.payload } };
      objects.set(keyAt(bookA, 2), await resigned(stored.receipt, changes, { identityId: bert, generation: 1 }));
    },
  ],
  ['an object that is gone', 'missing', (objects, { bookA }) => objects.delete(keyAt(bookA, 2))],
];

const repairOf = async (live: LiveDatabase, objects: MemoryObjects, scope: LedgerScope | null = null) =>
  granted(await repairDatabase({ source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: null, scope }));

const digestsOf = async ({ url }: LiveDatabase, without: readonly string[]) => {
  const pool = openPool({ url, work: 'scans' });
  try {
    return await withClient(pool, async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      const digests = await digestTables(client, 'projection', { without });
      await client.query('COMMIT');
      return digests;
    });
  } finally {
    await pool.end();
  }
};

describe('the quarantine', () => {
  it.each(poisons)('holds a stream with %s, up to its fault and alone, until it is mended', async (_, code, poison) => {
    await using live = await liveDatabase();
    await using other = await liveDatabase();
    const small = await smallLedger();
    const { ledger, bookA, bookB } = small;
    const stream = prefixOf(bookA);
    const objects = objectsOf(ledger.receipts);
    await poison(objects, small);
    await repairOf(live, objects);
    expect(await quarantined(live.pool)).toMatchObject([{ stream, position: 2, key: keyAt(bookA, 2), code, foundBy: 'repair' }]);
    const isGood = ({ receipt, position }: (typeof ledger.receipts)[number]) =>
      prefixOf(receipt.stream) !== stream || position < 2;
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts.filter(isGood)));

    // All others are what a rebuild of a ledger without that stream gives.
    const without = ledger.receipts.filter(({ receipt }) => prefixOf(receipt.stream) !== stream);
    const source = storeSource(memoryStore(objectsOf(without)));
    granted(await rebuild({ source, databaseUrl: other.url, trust: ledger.trust }));
    expect(await digestsOf(live, [stream])).toEqual(await digestsOf(other, [stream]));

    // Another stream's repair says nothing of it; a drift sees it once more, and the first time stays.
    await repairOf(live, objects, scopeBelow(prefixOf(bookB)));
    const [before] = await quarantined(live.pool);
    const found = await drift({ source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: null });
    expect(found).toMatchObject({ ok: false, error: { code: 'ledger-not-valid' } });
    expect(await quarantined(live.pool)).toMatchObject([{ stream, foundBy: 'drift', since: before?.since }]);

    for (const [key, bytes] of objectsOf(ledger.receipts)) objects.set(key, bytes);
    await repairOf(live, objects, scopeBelow(stream));
    expect(await quarantined(live.pool)).toEqual([]);
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it('is kept up to date by a drift of a scope too', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA } = await smallLedger();
    await live.apply(ledger.receipts);
    const objects = objectsOf(ledger.receipts);
    const driftOf = (scope: LedgerScope) =>
      drift({ source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: null, scope });
    setText(objects, bookA, 2, '{}');
    granted(await driftOf(scopeBelow(prefixOf(bookA))));
    expect(await quarantined(live.pool)).toMatchObject([{ stream: prefixOf(bookA), foundBy: 'drift' }]);
    for (const [key, bytes] of objectsOf(ledger.receipts)) objects.set(key, bytes);
    granted(await driftOf(scopeBelow('pixpax/pixbooks')));
    expect(await quarantined(live.pool)).toEqual([]);
  });

  it('lets no stream go of which the store has nothing, and none by a report that does not name all that is at fault', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA, bookB } = await smallLedger();
    const objects = objectsOf(ledger.receipts);
    setText(objects, bookA, 2, '{}');
    await repairOf(live, objects);
    const held = [{ stream: prefixOf(bookA) }];
    for (const key of [...objects.keys()]) if (key.startsWith(prefixOf(bookA))) objects.delete(key);
    await repairOf(live, objects);
    expect(await quarantined(live.pool)).toMatchObject(held);
    for (const [key, bytes] of objectsOf(ledger.receipts)) objects.set(key, bytes);
    const source = storeSource(memoryStore(objects));
    for (const report of [
      { faults: [], faultCount: 1, unverifiable: 0 },
      { faults: [], faultCount: 0, unverifiable: 3 },
    ]) {
      await noteQuarantine(live.pool, report, { foundBy: 'repair', source });
      expect(await quarantined(live.pool)).toMatchObject(held);
    }
    await noteQuarantine(
      live.pool,
      { faults: [], faultCount: 0, unverifiable: 0 },
      { foundBy: 'repair', source, scope: scopeBelow(prefixOf(bookB)) },
    );
    expect(await quarantined(live.pool)).toMatchObject(held);
    await noteQuarantine(live.pool, { faults: [], faultCount: 0, unverifiable: 0 }, { foundBy: 'rebuild', source });
    expect(await quarantined(live.pool)).toEqual([]);
  });

  it('takes the word of the service, which knows less of a stream than a run does', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA, bookB } = await smallLedger();
    const objects = objectsOf(ledger.receipts);
    setText(objects, bookA, 2, '{}');
    await repairOf(live, objects);
    const app = openPool({ url: live.url });
    const note = openQuarantine(app);
    const later = instantOf(Date.now() + 60_000);
    await note(prefixOf(bookA), { code: 'hash', detail: 'as a command saw it' }, later);
    await note(prefixOf(bookB), { code: 'hash', detail: 'as a command saw it' }, later);
    expect(await quarantined(live.pool)).toMatchObject([
      { stream: prefixOf(bookA), position: 2, code: 'members', foundBy: 'service', seenAt: later },
      { stream: prefixOf(bookB), position: null, key: null, code: 'hash', foundBy: 'service', since: later },
    ]);
    await expect(app.query('DELETE FROM ops.quarantined_streams')).rejects.toMatchObject({ code: '42501' });
    await app.end();
  });
});
