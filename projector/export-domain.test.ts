import { beforeAll, describe, expect, it } from 'vitest';
import { type MemoryObjects, memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID } from '../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { type Stream, accountStream, codeStream, collectionStream } from '../src/receipt/stream.ts';
import { type DomainLedger, domainLedger } from '../test/domain-ledger.ts';
import { granted } from '../test/ledger-fixture.ts';
import { exportAccount } from './export.ts';
import { forgedPack, receiptOf } from './forgery.fixture.ts';
import { importLedger } from './import.ts';
import { storeSource } from './store-source.ts';
import { objectsOf } from './tampering.fixture.ts';
import { verifyLedger } from './verify.ts';

const exported = async (objects: MemoryObjects, accountIds: readonly AccountId[]): Promise<MemoryObjects> => {
  const target: MemoryObjects = new Map();
  const source = storeSource(memoryStore(objects));
  for (const accountId of accountIds) granted(await exportAccount({ source, accountId, to: memoryStore(target), trust: null }));
  return target;
};

const imported = (objects: MemoryObjects, target: MemoryObjects) =>
  importLedger({ source: storeSource(memoryStore(objects)), to: memoryStore(target), trust: null });

const verified = (objects: MemoryObjects) => verifyLedger({ source: storeSource(memoryStore(objects)), trust: null });

const keysOf = ({ ledger }: DomainLedger, stream: Stream): readonly string[] =>
  ledger.receiptsOf(stream).map((_, position) => keyAt(stream, position));

describe('the export of an account that has packs and trades', () => {
  let d: DomainLedger;
  let objects: MemoryObjects;
  beforeAll(async () => {
    d = await domainLedger();
    objects = objectsOf(d.ledger.receipts);
  });

  it('holds what its receipts rest on: collections, its codes, and the keys of partners who answered it', async () => {
    const out = await exported(objects, [d.b.account.accountId]);
    const whole = [
      accountStream(OPERATOR_ACCOUNT_ID),
      d.b.account,
      d.b.book,
      collectionStream(d.collectionId),
      codeStream(d.codes.used),
    ];
    // Of Ann, who accepted Ben's gift: the receipt of her key, and nothing of her book.
    const key = receiptOf(d, d.a.account, 'IDENTITY_CREATED');
    expect([...out.keys()].sort()).toEqual(
      [...whole.flatMap((stream) => keysOf(d, stream)), keyAt(d.a.account, key.position)].sort(),
    );
  });

  it('verifies alone: of partners’ receipts it says that they are not there, and of nothing else', async () => {
    const { verdict, faults, unverifiable } = await verified(await exported(objects, [d.b.account.accountId]));
    expect({ verdict, unverifiable }).toEqual({ verdict: 'incomplete', unverifiable: 0 });
    const cited = faults.filter(({ code }) => code === 'cited-missing');
    expect(cited.every(({ stream }) => stream === prefixOf(d.b.book))).toBe(true);
    expect(cited).toHaveLength(5);
    expect(faults.filter(({ code }) => code !== 'cited-missing')).toMatchObject([
      { code: 'missing', key: keyAt(d.a.account, 0), lastPosition: 0 },
    ]);
  });

  it('is valid where nobody else is in it, and where the partners are too', async () => {
    expect(await verified(await exported(objects, [d.idle.account.accountId]))).toMatchObject({ verdict: 'valid' });
    const all = [d.a, d.b, d.c].map(({ account }) => account.accountId);
    expect(await verified(await exported(objects, all))).toMatchObject({ verdict: 'valid', faults: [] });
  });

  it('comes back into a ledger that has the partners, and is refused where their keys are not', async () => {
    const out = await exported(objects, [d.b.account.accountId]);
    const lost = new Map(objects);
    for (const key of [...keysOf(d, d.b.book), ...keysOf(d, codeStream(d.codes.used))]) lost.delete(key);
    granted(await imported(out, lost));
    expect([...lost.keys()].sort()).toEqual([...objects.keys()].sort());
    expect(await verified(lost)).toMatchObject({ verdict: 'valid' });
    const empty: MemoryObjects = new Map();
    expect(await imported(out, empty)).toMatchObject({ error: { code: 'ledger-not-valid', ledger: { verdict: 'incomplete' } } });
    expect(empty.size).toBe(0);
  });

  it('may lack cited receipts of others, and is imported all the same', async () => {
    const out = await exported(objects, [d.a.account.accountId, d.b.account.accountId]);
    const cleo = new Map(
      [...keysOf(d, accountStream(OPERATOR_ACCOUNT_ID)), ...keysOf(d, d.c.account)].map((key) => [key, objects.get(key)]),
    );
    const target = new Map([...cleo].flatMap(([key, bytes]) => (bytes === undefined ? [] : [[key, bytes] as const])));
    granted(await imported(out, target));
    // Ann has reserved for an offer of Cleo's, whose book is not there.
    const reservation = receiptOf(d, d.a.book, 'CARD_TRADE_RESERVED', d.reserved);
    expect(await verified(target)).toMatchObject({
      verdict: 'incomplete',
      faults: [{ code: 'cited-missing', key: keyAt(d.a.book, reservation.position) }],
    });
  });

  it('is evidence: a steered pack does not refuse it, but nobody imports that', async () => {
    const forged = await forgedPack(d, d.idle, { dropId: d.drops.open, poolAt: -1, packSize: 4 });
    const steered = objectsOf([...d.ledger.receipts, forged]);
    const out = await exported(steered, [d.idle.account.accountId]);
    const fault = { code: 'pack-size-wrong', key: keyAt(d.idle.book, forged.position) };
    expect(await verified(out)).toMatchObject({ verdict: 'invalid', faults: [fault] });
    expect(await imported(out, new Map())).toMatchObject({ error: { ledger: { verdict: 'invalid', faults: [fault] } } });
  });
});
