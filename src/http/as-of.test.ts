import { beforeAll, describe, expect, it } from 'vitest';
import { type DomainLedger, domainLedger } from '../../test/domain-ledger.ts';
import { addCards } from '../../test/ledger-cards.ts';
import { cardId } from '../../test/ledger-collection.ts';
import { granted } from '../../test/ledger-fixture.ts';
import { limits } from '../limits.ts';
import type { PixbookResource } from '../port/ledger-queries.ts';
import { keyAt, snapshotKeyOf } from '../receipt/key-path.ts';
import { type Receipt, type UnsignedReceipt, sealReceipt, signedBytesOf } from '../receipt/receipt.ts';
import { parseSignature } from '../receipt/signature.ts';
import { resourceOf } from '../snapshot/book-at.ts';
import { type Book, type ColdWorld, coldWorld } from '../snapshot/cold-world.fixture.ts';
import { pixbookAsOf } from './as-of.ts';

/**
 * Ben's second book: a save, many cards, a save, so many cards that no save is found from its end. `lastSave` is the position of
 * the second one.
 */
let d: DomainLedger;
let book: Book;
let world: ColdWorld;
let cold: ReturnType<ColdWorld['open']>;
let now: PixbookResource;
let lastSave: number;
const firstSave = 3;
beforeAll(async () => {
  d = await domainLedger();
  const { ledger } = d;
  const identityId = await ledger.createIdentity(d.b.account.accountId, d.b.user);
  book = await ledger.createPixbook(d.b.account.accountId, identityId, d.collectionId);
  const grow = async (receipts: number): Promise<void> => {
    for (let n = 0; n < receipts; n++) await addCards(ledger, book, [cardId('pond-1')]);
  };
  await grow(firstSave - 1);
  await ledger.save(book, { scene: 'first', nested: { z: 1, a: [null, true] } });
  await grow(80);
  lastSave = (await ledger.save(book, { scene: 'second' })).position;
  await grow(limits.asOfReceipts + 40);
  granted(await ledger.pixbook(book, { type: 'close' }));
  world = coldWorld(ledger);
  cold = world.open();
  now = resourceOf(world.bookAt(book, ledger.receiptsOf(book).length - 1));
}, 60_000);

const asOf = async (position: number, from: ColdWorld['store'] = world.store): Promise<string> =>
  JSON.stringify(await pixbookAsOf({ store: from, cold: from === world.store ? cold : world.open(from) }, now, position));

describe('a pixbook as of a moment', () => {
  it('is the same, byte for byte, with a snapshot anywhere and without one', { timeout: 60_000 }, async () => {
    const moments = Array.from({ length: 40 }, (_, i) => (i < 8 ? i : Math.round((i / 39) * (lastSave + 300))));
    world.objects.delete(snapshotKeyOf(book));
    const expected = new Map<number, string>();
    for (const moment of moments) {
      expected.set(moment, await asOf(moment));
      expect(expected.get(moment)).toBe(JSON.stringify({ ok: true, value: resourceOf(world.bookAt(book, moment)) }));
    }
    const end = now.head.position;
    for (const position of [0, firstSave - 1, firstSave, 40, lastSave - 1, lastSave, lastSave + 1, lastSave + 90, end - 1, end]) {
      await world.put(book, position);
      for (const moment of moments)
        expect([position, moment, await asOf(moment)]).toEqual([position, moment, expected.get(moment)]);
    }
  });

  it('that was too far from its save can be told once a snapshot lies between', async () => {
    const { position } = now.head;
    world.objects.delete(snapshotKeyOf(book));
    expect(JSON.parse(await asOf(position))).toMatchObject({ error: { code: 'as-of-too-far' } });
    await world.put(book, position - 100);
    expect(await asOf(position)).toBe(JSON.stringify({ ok: true, value: now }));
    // One that lies too far away itself is of no use.
    await world.put(book, lastSave + 1);
    expect(JSON.parse(await asOf(position))).toMatchObject({ error: { code: 'as-of-too-far' } });
  });

  it('reads no further back than the snapshot, and asks for none when a save is near', async () => {
    await world.put(book, lastSave + 200);
    const asked: string[] = [];
    const watched = {
      ...world.store,
      read: (key: string) => {
        asked.push(key);
        return world.store.read(key);
      },
    };
    await asOf(lastSave + 10, watched);
    expect(asked).not.toContain(snapshotKeyOf(book));
    asked.length = 0;
    expect(await asOf(lastSave + 260, watched)).toContain('second');
    expect(asked).toContain(keyAt(book, lastSave + 201));
    expect(asked).not.toContain(keyAt(book, lastSave + 199));
  });

  it('does not go by a snapshot that the receipts behind it do not lead to', async () => {
    const moment = lastSave + 120;
    world.objects.delete(snapshotKeyOf(book));
    const expected = await asOf(moment);
    const right = world.bookAt(book, lastSave + 60);
    world.objects.set(snapshotKeyOf(book), await world.seal({ ...right, shown: { ...right.shown, state: { scene: 'never' } } }));
    expect(await asOf(moment)).toContain('never');
    // In the walk, and right behind the snapshot.
    for (const position of [lastSave + 100, lastSave + 61]) {
      const branching = {
        ...world.store,
        read: async (key: string) => {
          const bytes = await world.store.read(key);
          return bytes !== null && key === keyAt(book, position) ? relinked(bytes) : bytes;
        },
      };
      expect(await asOf(moment, branching)).toBe(expected);
    }
  });
});

/** A receipt that reads strictly and names another predecessor than it had. */
const relinked = (bytes: Uint8Array): Uint8Array => {
  const { hash, signature, ...unsigned } = JSON.parse(Buffer.from(bytes).toString()) as Receipt;
  const other: UnsignedReceipt = { ...unsigned, prevHash: hash };
  return sealReceipt(other, signedBytesOf(other), granted(parseSignature(signature))).bytes;
};
