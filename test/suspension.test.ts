import { beforeEach, describe, expect, it } from 'vitest';
import { storeSource } from '../projector/store-source.ts';
import { verifyLedger } from '../projector/verify.ts';
import { memoryTables } from '../src/adapter/memory/projection-tables.ts';
import { memoryReadModel } from '../src/adapter/memory/read-model.ts';
import { type MemoryObjects, memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { memorySealer } from '../src/adapter/memory/sealer.ts';
import { memorySigner } from '../src/adapter/memory/signer.ts';
import { ensureOperator } from '../src/command/ensure-operator.ts';
import { initialise } from '../src/command/initialise.ts';
import { openLedger } from '../src/command/ledger.ts';
import { memoryQueries } from '../src/http/memory-queries.fixture.ts';
import { Outage } from '../src/port/outage.ts';
import type { ReceiptStore } from '../src/port/receipt-store.ts';
import { OPERATOR_IDENTITY_ID, dropIdFor, instantOf, parseEventId, tradeIdOf } from '../src/receipt/ids.ts';
import { simulatedClock } from './crash/clock.ts';
import { type Collector, by, giveCards, newCollector } from './domain/collector.ts';
import { catalogueOf, done, issuer, issuerAsks, putArt } from './domain/publication.ts';
import { granted } from './ledger-fixture.ts';

/** Two collectors with a card each, and a store that takes no receipt of the kinds given, as if the process died before it. */
const openScene = async () => {
  const objects: MemoryObjects = new Map();
  const [store, clock, signer] = [memoryStore(objects), simulatedClock(Date.UTC(2026, 0, 2)), memorySigner()];
  const dying = new Set<string>();
  const mortal: ReceiptStore = {
    ...store,
    create: (key, bytes) => {
      const text = Buffer.from(bytes).toString();
      if ([...dying].some((type) => text.includes(`"type":"${type}"`)))
        throw new Outage('store', 'store-unavailable', 'the process died');
      return store.create(key, bytes);
    },
  };
  const { fingerprint: trust } = granted(await initialise({ store, signer, clock }, null));
  const tables = memoryTables();
  const readModel = memoryReadModel(tables);
  const ports = { store: mortal, signer, sealer: memorySealer(), readModel, clock, notify: () => undefined, trust };
  granted(await ensureOperator(ports, issuer));
  const { commands, upkeep } = openLedger(ports);
  const catalogue = catalogueOf(1, 'bird-owl', 'mammal-fox');
  putArt({ objects }, catalogue);
  const collection = { identityId: OPERATOR_IDENTITY_ID, collectionId: null, catalogue };
  const { stream } = await done(commands.publishCollection(issuerAsks('collection'), collection));
  if (stream.type !== 'collection') throw new Error('no collection');
  const { collectionId } = stream;
  await done(commands.openDrop(issuerAsks('drop'), { ...collection, collectionId, title: 'Week 1', packSize: 1 }));
  const dropId = dropIdFor(collectionId, issuerAsks('drop').idempotencyKey);
  const made = { identityId: OPERATOR_IDENTITY_ID, collectionId, dropId };
  const queries = memoryQueries(tables, readModel);
  const [ada, ben] = [
    await newCollector(commands, 'ada', made.collectionId),
    await newCollector(commands, 'ben', made.collectionId),
  ];
  const [fox] = await giveCards(commands, made, ada, 'mammal-fox');
  const [owl] = await giveCards(commands, made, ben, 'bird-owl');
  if (fox === undefined || owl === undefined) throw new Error('no cards');
  const want = { instanceIds: [owl], cardIds: [] };
  const expiresAt = instantOf(clock.now() + 3_600_000);
  const offer = await done(commands.offerTrade(by(ada, 'offer'), ada, { to: ben, give: [fox], want, expiresAt }));
  const tradeId = tradeIdOf(offer.eventId);
  return {
    ...{ commands, dying, ada, ben, tradeId, clock },
    accept: () => commands.acceptTrade(by(ben, 'accept'), { ...ada, tradeId }, { ...ben, give: [] }).catch(() => null),
    suspend: ({ accountId }: Collector) => done(commands.suspendAccount(issuerAsks(`suspend-${accountId}`), accountId, 'unpaid')),
    redo: async () => {
      for (const { event_id, target, kind } of tables.redo.values())
        if (kind === 'complete-trade') await upkeep(queries).redo({ eventId: granted(parseEventId(event_id)), target, kind });
    },
    trade: async () => (await queries.trade(tradeId))?.status,
    verdict: async () => (await verifyLedger({ source: storeSource(store), trust, below: null, threads: 0 })).verdict,
  };
};

describe('a trade that was accepted before an account of it was suspended', () => {
  let scene: Awaited<ReturnType<typeof openScene>>;
  beforeEach(async () => {
    scene = await openScene();
  });

  it.each([
    ['the offerer’s', 'the settlement', ['ada'], 'CARD_TRADE_SETTLED'],
    ['the accepter’s', 'the settlement', ['ben'], 'CARD_TRADE_SETTLED'],
    ['both', 'the settlement', ['ada', 'ben'], 'CARD_TRADE_SETTLED'],
    ['the offerer’s', 'the acceptance that its reservation consents to', ['ada'], 'CARD_TRADE_ACCEPTED'],
    ['the accepter’s', 'the acceptance that its reservation consents to', ['ben'], 'CARD_TRADE_ACCEPTED'],
    ['both', 'the acceptance that its reservation consents to', ['ada', 'ben'], 'CARD_TRADE_ACCEPTED'],
  ] as const)(
    '%s account suspended, and %s missing: it is settled, and the ledger is valid',
    async (_whose, _what, who, type) => {
      scene.dying.add(type);
      await scene.accept();
      expect(await scene.trade()).not.toBe('settled');
      for (const name of who) await scene.suspend(scene[name]);
      scene.clock.advance(60_000);
      scene.dying.clear();
      await scene.redo();
      expect(await scene.trade()).toBe('settled');
      expect(await scene.verdict()).toBe('valid');
    },
  );

  it('is not accepted any more once the accepter’s is suspended: nothing was consented to', async () => {
    await scene.suspend(scene.ben);
    expect(await scene.accept()).toMatchObject({ ok: false, error: { code: 'account-suspended' } });
    expect(await scene.trade()).toBe('offered');
    expect(await scene.verdict()).toBe('valid');
  });
});
