import { expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { keyAt } from '../src/receipt/key-path.ts';
import { PROJECTOR_VERSION } from '../src/stream/event.ts';
import { applicationOf, granted, idempotencyKey } from '../test/ledger-fixture.ts';
import { expectedDump, liveDatabase } from './projection.fixture.ts';
import { rebuild } from './rebuild.ts';
import { rollback } from './rollback.ts';
import { storeSource } from './store-source.ts';
import { objectsOf, smallLedger } from './tampering.fixture.ts';

it('a change of the projector’s version, and its rollback, go through under readers and writers of the old version', async () => {
  await using live = await liveDatabase();
  const { ledger, bookA, bookB } = await smallLedger();
  await live.apply(ledger.receipts);
  const objects = objectsOf(ledger.receipts);
  const options = { source: storeSource(memoryStore(objects)), databaseUrl: live.url, trust: ledger.trust };
  const noteVersion = (schema: string, version: number) =>
    live.pool.query(`COMMENT ON SCHEMA ${schema} IS 'projector version ${version}'`);
  await noteVersion('projection', PROJECTOR_VERSION - 1);

  let changing = true;
  /** The program of the old version looks at the version when it starts, and goes on reading. */
  const read = async () => {
    let views = 0;
    let last = -1;
    while (changing) {
      const view = await live.model.pixbookView({
        ...{ stream: bookB, idempotencyKey: idempotencyKey('none'), userId: null, identityId: null },
      });
      expect(view.head?.position ?? -1).toBeGreaterThanOrEqual(last);
      expect(view.state.status).toBe('open');
      last = view.head?.position ?? -1;
      views++;
    }
    return views;
  };
  const write = async () => {
    while (changing) {
      const stored = await ledger.save(bookA, { at: ledger.receipts.length });
      objects.set(keyAt(bookA, stored.position), stored.bytes);
      const outcome = await live.model.apply(applicationOf(stored));
      // `behind`: the swap came between; the next touch of the stream by a service heals it from the store.
      expect(['applied', 'already', 'behind']).toContain(outcome);
    }
  };
  const atWork = Promise.all([read(), read(), write()]);
  try {
    expect(granted(await rebuild(options))).toMatchObject({ live: 'other', ledger: { verdict: 'valid' } });
    // What this program made is now the old version to the one that returns.
    await noteVersion('projection', PROJECTOR_VERSION + 1);
    await noteVersion('projection_previous', PROJECTOR_VERSION);
    granted(await rollback(options));
  } finally {
    changing = false;
  }
  const [views] = await atWork;
  expect(views).toBeGreaterThan(0);
  granted(await rebuild(options));
  expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  await live.model.check();
});
