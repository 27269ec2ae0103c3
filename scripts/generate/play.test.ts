import { describe, expect, it } from 'vitest';
import { storeSource } from '../../projector/store-source.ts';
import { verifyLedger } from '../../projector/verify.ts';
import { memoryReadModel } from '../../src/adapter/memory/read-model.ts';
import { memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { memorySealer } from '../../src/adapter/memory/sealer.ts';
import { memorySigner } from '../../src/adapter/memory/signer.ts';
import { openLedger } from '../../src/command/ledger.ts';
import { Outage } from '../../src/port/outage.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { codeKeyOf } from '../../src/stream/code/secret.ts';
import { chanceOf } from './chance.ts';
import { genesis, openMarket } from './market.ts';
import { newNeighbourhood } from './neighbourhood.ts';
import { playYear } from './play.ts';
import { turnedClock } from './turned-clock.ts';

const startMs = Date.UTC(2025, 0, 1);
const seed = 'tide';

/** Refuses to create each receipt that says this so often before it relents; what it refused was not written. */
const failing = (store: ReceiptStore, text: string, times: number): ReceiptStore => {
  const refused = new Map<string, number>();
  return {
    ...store,
    create: async (key, bytes) => {
      const before = refused.get(key) ?? 0;
      if (before === times || !Buffer.from(bytes).includes(text)) return store.create(key, bytes);
      refused.set(key, before + 1);
      throw new Outage('store', 'store-unavailable', 'the bucket has gone for a moment');
    },
  };
};

const yearOn = async (store: ReceiptStore, steady: ReceiptStore) => {
  const custody = { signer: memorySigner(), sealer: memorySealer() };
  const clock = turnedClock(startMs, { deadlines: false });
  const trust = await genesis({ ...custody, store: steady, clock });
  const ports = { ...custody, store: steady, clock, trust, readModel: memoryReadModel(), notify: () => undefined };
  const { commands } = openLedger(ports);
  const market = await openMarket({ ports, commands, chance: chanceOf(seed, 'market'), seed }, 1);
  const parts = { ports: { ...custody, store, trust }, market, seed, name: '0', reads: new Map(), onReceipt: () => undefined };
  const here = newNeighbourhood({ ...parts, clock: turnedClock(startMs + 86_400_000, { deadlines: false }) });
  const codeKey = codeKeyOf(Buffer.alloc(32, 1));
  const endMs = startMs + 365 * 86_400_000;
  await playYear(here, { receipts: 420, endMs, codeKey, repertoire: true, isStopped: () => false });
  return here.store.tally;
};

describe('a neighbourhood’s year', () => {
  // Four creates are what one command tries: it leaves the rest to the redo worker.
  it.each([
    ['CARD_TRADE_SETTLED', '"type":"CARD_TRADE_SETTLED"'],
    ['CARD_TRADE_RELEASED', '"type":"CARD_TRADE_RELEASED"'],
    ['PACK_ISSUED of a code', '"claim":{"codeId"'],
  ])(
    'is whole though the store fails each %s for a while',
    async (_type, text) => {
      const steady = memoryStore();
      const tally = await yearOn(failing(steady, text, 4), steady);
      expect(tally.receipts).toBe(420);
      expect(await verifyLedger({ source: storeSource(steady), trust: null })).toMatchObject({ verdict: 'valid', faults: [] });
    },
    120_000,
  );
});
