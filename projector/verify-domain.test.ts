import { beforeAll, describe, expect, it } from 'vitest';
import { type MemoryObjects, memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { limits } from '../src/limits.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { type Stream, codeStream, collectionStream } from '../src/receipt/stream.ts';
import { type DomainLedger, domainLedger } from '../test/domain-ledger.ts';
import { freeCopiesIn, issuePack } from '../test/ledger-cards.ts';
import { openDrop } from '../test/ledger-collection.ts';
import { offerTrade, traded } from '../test/ledger-trade.ts';
import { positionIn, receiptOf } from './forgery.fixture.ts';
import { openSource } from './open-source.ts';
import type { LedgerSource } from './source.ts';
import { storeSource } from './store-source.ts';
import { asDirectory, objectsOf, setText, textAt } from './tampering.fixture.ts';
import { verifyLedger } from './verify.ts';
import { verifyStream } from './verify-stream.ts';

const verifyMemory = (objects: MemoryObjects, options: { readonly below?: string; readonly nowMs?: number } = {}) =>
  verifyLedger({ source: storeSource(memoryStore(objects)), trust: null, ...options });

const lastOf = ({ ledger }: DomainLedger, stream: Stream): string => keyAt(stream, ledger.receiptsOf(stream).length - 1);

describe('verify, of the domain', () => {
  let whole: DomainLedger;
  let collection: Stream;
  beforeAll(async () => {
    whole = await domainLedger();
    collection = collectionStream(whole.collectionId);
  });

  it('comes to the same in threads of its own', async () => {
    const receipts = whole.ledger.receipts.length;
    using directory = asDirectory(objectsOf(whole.ledger.receipts));
    const source = await openSource({ location: { kind: 'file', directory: directory.path }, credentials: null, durable: false });
    expect(await verifyLedger({ source, trust: null, threads: 2 })).toMatchObject({ verdict: 'valid', receipts, faults: [] });
    await source.close();
  });

  it.each([
    ['a book whose partners signed', (d: DomainLedger) => prefixOf(d.a.book)],
    ['the books of one account', (d: DomainLedger) => `pixpax/pixbooks/${d.b.book.accountId}`],
    ['the code that somebody claimed', (d: DomainLedger) => prefixOf(codeStream(d.codes.used))],
    ['all codes', () => 'pixpax/codes'],
    ['a collection', (d: DomainLedger) => prefixOf(collectionStream(d.collectionId))],
    ['all collections', () => 'pixpax/collections'],
  ])('verifies %s alone, by the keys of other accounts', async (_, below) => {
    const objects = objectsOf(whole.ledger.receipts);
    expect(await verifyMemory(objects, { below: below(whole) })).toMatchObject({ verdict: 'valid', faults: [] });
  });

  it('tells over HTTP of one stream what it cites too', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    const parts = { store: memoryStore(objects), trust: whole.ledger.trust };
    for (const stream of [whole.a.book, whole.b.book, whole.c.book, collection, codeStream(whole.codes.slow)]) {
      const receipts = whole.ledger.receiptsOf(stream).length;
      expect(await verifyStream(parts, stream)).toEqual({ valid: true, receipts, head: whole.ledger.headOf(stream) });
    }
    objects.delete(keyAt(codeStream(whole.codes.slow), 1));
    const pack = receiptOf(whole, whole.c.book, 'PACK_ISSUED');
    expect(await verifyStream(parts, whole.c.book)).toMatchObject({
      valid: false,
      fault: { code: 'cited-missing', key: keyAt(whole.c.book, pack.position) },
    });
  });

  it('misses the end of a stream that others cite', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    const claim = keyAt(codeStream(whole.codes.used), 1);
    objects.delete(claim);
    const pack = whole.ledger.receiptsOf(whole.b.book).findLast(({ receipt }) => receipt.type === 'PACK_ISSUED');
    const { verdict, faults } = await verifyMemory(objects);
    expect({ verdict, faults }).toMatchObject({
      verdict: 'incomplete',
      faults: [{ code: 'cited-missing', key: keyAt(whole.b.book, pack?.position ?? -1), detail: expect.stringContaining(claim) }],
    });
  });

  it('judges nothing by a collection at fault, but what comes before the fault', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    const position = positionIn(whole, 'COLLECTION_PUBLISHED') + 1;
    setText(objects, collection, position, textAt(objects, collection, position).replace('spring', 'summer'));
    const { verdict, faults, unverifiable } = await verifyMemory(objects);
    expect({ verdict, faults }).toMatchObject({
      verdict: 'invalid',
      faults: [{ code: 'hash-mismatch', key: keyAt(collection, position) }],
    });
    const laterInIt = whole.ledger.receiptsOf(collection).length - position - 1;
    const packs = whole.ledger.receipts.filter(({ receipt }) => receipt.type === 'PACK_ISSUED').length;
    const codes = whole.ledger.receipts.filter(({ receipt }) => receipt.type === 'CODE_CREATED').length;
    expect(unverifiable).toBe(laterInIt + packs + codes);
    // Whoever asks for one book alone hears of it too.
    const alone = await verifyMemory(objects, { below: prefixOf(whole.c.book) });
    expect(alone.faults).toMatchObject([{ code: 'hash-mismatch', key: keyAt(collection, position) }]);
  });

  it('judges nothing by a cited receipt at fault, which is told where it is', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    const claim = codeStream(whole.codes.used);
    setText(objects, claim, 1, textAt(objects, claim, 1).replace('"generation":1', '"generation":2'));
    const { faults, unverifiable } = await verifyMemory(objects);
    expect(faults).toMatchObject([{ code: 'hash-mismatch', key: keyAt(claim, 1) }]);
    expect(unverifiable).toBe(1);
  });

  it('tells of a trade that is accepted and not settled, once the redo worker has had its time', async () => {
    const d = await domainLedger();
    await traded(d.ledger, d.reserved, 'accept-trade');
    const objects = objectsOf(d.ledger.receipts);
    const acceptedMs = Date.parse(d.ledger.headOf(d.c.book)?.createdAt ?? '');
    expect(await verifyMemory(objects, { nowMs: acceptedMs + limits.redoOverdueMs })).toMatchObject({ verdict: 'valid' });
    const late = await verifyMemory(objects, { nowMs: acceptedMs + limits.redoOverdueMs + 1 });
    expect(late).toMatchObject({ verdict: 'incomplete', faults: [{ code: 'trade-unsettled', key: lastOf(d, d.c.book) }] });
    await d.ledger.save(d.a.book, { page: 1 });
    await traded(d.ledger, d.reserved, 'settle-trade');
    expect(await verifyMemory(objectsOf(d.ledger.receipts))).toMatchObject({ verdict: 'valid', faults: [] });
  });

  it('looks again at a collection and at keys that have come since it read them', async () => {
    const d = await domainLedger();
    const objects = objectsOf(d.ledger.receipts);
    const store = memoryStore(objects);
    let grown = false;
    const growing = {
      ...store,
      read: async (key: string) => {
        const bytes = await store.read(key);
        if (key === lastOf(d, collectionStream(d.collectionId)) && !grown) {
          grown = true;
          await d.ledger.rotateKey(d.a.account.accountId, d.a.identityId, d.a.user);
          await issuePack(d.ledger, d.b.book, await openDrop(d.ledger, d.collectionId));
          const gift = await offerTrade(d.ledger, d.b.book, d.a.book, { give: freeCopiesIn(d.ledger, d.b.book).slice(0, 1) });
          for (const step of ['reserve-trade', 'accept-trade', 'settle-trade'] as const) await traded(d.ledger, gift, step);
          for (const [later, its] of objectsOf(d.ledger.receipts)) objects.set(later, its);
        }
        return bytes;
      },
    };
    const before = d.ledger.receipts.length;
    // One stream after another, each listed when its turn comes: codes first, for which the collection is read.
    const source = storeSource(growing);
    const unhurried: LedgerSource = {
      ...source,
      parallelStreams: 1,
      find: async function* (below) {
        for await (const found of source.find(below))
          yield 'stream' in found ? { stream: { ...found.stream, keys: null } } : found;
      },
    };
    const report = await verifyLedger({ source: unhurried, trust: null });
    expect(report).toMatchObject({ verdict: 'valid', faults: [] });
    expect(report.receipts).toBeGreaterThan(before);
  });

  it('goes on behind a gap with what partners signed', async () => {
    const objects = objectsOf(whole.ledger.receipts);
    objects.delete(keyAt(whole.a.book, 1));
    const { verdict, faults } = await verifyMemory(objects);
    expect({ verdict, faults }).toMatchObject({
      verdict: 'incomplete',
      faults: [{ code: 'missing', key: keyAt(whole.a.book, 1) }],
    });
  });
});
