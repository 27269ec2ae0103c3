import { describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { openBacklog } from '../src/adapter/postgres/backlog.ts';
import { openPool } from '../src/adapter/postgres/pool.ts';
import { prefixOf } from '../src/receipt/key-path.ts';
import { PROJECTOR_VERSION } from '../src/stream/event.ts';
import { granted } from '../test/ledger-fixture.ts';
import { drift } from './drift.ts';
import { scopeBelow } from './ledger-scope.ts';
import { liveDatabase } from './projection.fixture.ts';
import { rebuild } from './rebuild.ts';
import { repairDatabase } from './repair-database.ts';
import { statusOf } from './status.ts';
import { storeSource } from './store-source.ts';
import { objectsOf, setText, smallLedger } from './tampering.fixture.ts';

describe('status', () => {
  it('tells what is applied, what the runs saw, and how far behind the last count the projection is', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA } = await smallLedger();
    const isEarly = ({ receipt, position }: (typeof ledger.receipts)[number]) =>
      receipt.stream.type !== 'pixbook' || position < 2;
    await live.apply(ledger.receipts.filter(isEarly));
    const options = { source: storeSource(memoryStore(objectsOf(ledger.receipts))), databaseUrl: live.url, trust: ledger.trust };
    const app = openPool({ url: live.url });
    const standing = () => openBacklog(app).standing();
    expect(await statusOf(live.url)).toMatchObject({ live: 'whole', offsets: [], lagReceipts: null, drifted: false });
    expect(await standing()).toEqual({ quarantinedStreams: 0, lagReceipts: 0 });

    granted(await drift(options));
    const behind = { streams: 5, receipts: 14, behindStreams: 2, behindReceipts: 4 };
    expect(await statusOf(live.url)).toMatchObject({
      live: 'whole',
      version: { live: PROJECTOR_VERSION, program: PROJECTOR_VERSION },
      previous: null,
      applied: [
        { kind: 'account', streams: 3, receipts: 6 },
        { kind: 'pixbook', streams: 2, receipts: 4 },
        { kind: 'collection', streams: 0, receipts: 0 },
        { kind: 'code', streams: 0, receipts: 0 },
      ],
      offsets: [{ projector: 'drift', projectorVersion: PROJECTOR_VERSION, ...behind, differences: expect.any(Number) }],
      lagReceipts: 4,
      quarantined: [],
      redoOpen: 0,
      drifted: true,
    });
    expect(await standing()).toEqual({ quarantinedStreams: 0, lagReceipts: 4 });

    // A run of a part says nothing of the whole.
    granted(await repairDatabase({ ...options, scope: scopeBelow(prefixOf(bookA)) }));
    expect(await statusOf(live.url)).toMatchObject({ offsets: [{ projector: 'drift' }], lagReceipts: 1 });
    granted(await repairDatabase(options));
    expect(await statusOf(live.url)).toMatchObject({
      offsets: [{ projector: 'repair', behindStreams: 1, behindReceipts: 1, differences: 0 }, { projector: 'drift' }],
      lagReceipts: 0,
    });
    expect(await standing()).toEqual({ quarantinedStreams: 0, lagReceipts: 0 });
    granted(await drift(options));
    expect(await statusOf(live.url)).toMatchObject({ drifted: false });
    granted(await rebuild(options));
    expect(await statusOf(live.url)).toMatchObject({
      previous: { version: PROJECTOR_VERSION },
      offsets: [{ projector: 'rebuild', streams: 5, receipts: 14, behindReceipts: 0 }],
      lagReceipts: 0,
      drifted: false,
    });
    await app.end();
  });

  it('names what is quarantined, and what it is not known of', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA } = await smallLedger();
    const objects = objectsOf(ledger.receipts);
    setText(objects, bookA, 1, 'x');
    granted(await repairDatabase({ source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: null }));
    expect(await statusOf(live.url)).toMatchObject({ quarantined: [{ stream: prefixOf(bookA), position: 1 }] });
    await live.pool.query(`COMMENT ON SCHEMA projection IS 'projector version 1'`);
    expect(await statusOf(live.url)).toMatchObject({ live: 'other', version: { live: 1 }, applied: [], drifted: true });
    await live.pool.query('DROP SCHEMA projection CASCADE');
    await live.pool.query('DROP SCHEMA ops CASCADE');
    expect(await statusOf(live.url)).toMatchObject({ live: 'missing', version: { live: null }, quarantined: [], redoOpen: 0 });
  });
});
