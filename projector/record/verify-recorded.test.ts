import { beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import { OPERATOR_ACCOUNT_ID, codePackIdFor } from '../../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../../src/receipt/key-path.ts';
import { type Stream, accountStream } from '../../src/receipt/stream.ts';
import { type DomainLedger, domainLedger } from '../../test/domain-ledger.ts';
import { issuePack } from '../../test/ledger-cards.ts';
import { closeDrop, openDrop } from '../../test/ledger-collection.ts';
import { granted } from '../../test/ledger-fixture.ts';
import { traded } from '../../test/ledger-trade.ts';
import { forgedPack } from '../forgery.fixture.ts';
import type { FaultCode, Verdict } from '../ledger-fault.ts';
import { BEN, type SmallLedger, resigned, setText, smallLedger, textAt } from '../tampering.fixture.ts';
import { type RecordedLedger, namesOf, recordedLedger } from './recorded-ledger.fixture.ts';

const OPERATOR = accountStream(OPERATOR_ACCOUNT_ID);
const accountsOf = ({ a, b }: SmallLedger): readonly Stream[] =>
  [OPERATOR, a, b].map((one) => ('accountId' in one ? accountStream(one.accountId) : one));
const inAccounts = (small: SmallLedger): number =>
  accountsOf(small).reduce((sum, stream) => sum + small.ledger.receiptsOf(stream).length, 0);
const nothing = { unchanged: 0, grown: 0, again: 0, fresh: 0 };

describe('verify with a record', () => {
  let small: SmallLedger;
  let world: RecordedLedger;
  const begin = async () => {
    small = await smallLedger();
    world = recordedLedger(small);
    return world.run();
  };

  it('verifies everything where there is no record yet, says so, and writes the first', async () => {
    const { report, record } = await begin();
    expect(report).toMatchObject({ verdict: 'valid', receipts: 14, streams: 5 });
    expect(record).toMatchObject({ from: null, streams: { ...nothing, fresh: 5 }, signatures: 14 });
    expect(world.manifests()).toEqual([`verifications/${record.written}.json`]);
  });

  it('reads nothing of what has not changed but the accounts, and comes to the same', async () => {
    const first = await begin();
    const { report, record } = await world.run();
    expect(report).toEqual(first.report);
    expect(record).toMatchObject({ from: { name: first.record.written, relied: true }, streams: { ...nothing, unchanged: 5 } });
    expect(record.signatures).toBe(inAccounts(small));
    expect(world.reads.filter((key) => !key.startsWith('pixpax/accounts/'))).toEqual([]);
  });

  it('checks the signatures of what has come since, and no others', async () => {
    await begin();
    await small.ledger.save(small.bookA, { page: 5 });
    await small.ledger.save(small.bookA, { page: 6 });
    world.grow();
    const { report, record } = await world.run();
    expect(report).toMatchObject({ verdict: 'valid', receipts: 16 });
    expect(record).toMatchObject({ streams: { ...nothing, unchanged: 4, grown: 1 }, signatures: inAccounts(small) + 2 });
    expect((await world.run()).record.streams).toEqual({ ...nothing, unchanged: 5 });
  });

  it('goes on over many runs as if each were the first', async () => {
    await begin();
    for (let page = 10; page < 14; page++) {
      await small.ledger.save(small.bookB, { page });
      if (page === 12) await small.ledger.rotateKey(small.b.accountId, small.bert, BEN);
      world.grow();
      const { report, record } = await world.run();
      expect(report).toEqual(await world.full());
      expect(record.streams.grown).toBe(page === 12 ? 2 : 1);
    }
  });

  it('finds a false signature, an idempotency key used twice and an unknown event among what is new', async () => {
    await begin();
    const { ledger, bookB, bert } = small;
    const next = await ledger.save(bookB, { page: 9 });
    const by = { identityId: bert, generation: 7 };
    for (const [bytes, code] of [
      [await resigned(next.receipt, {}, by), 'signature-invalid'],
      [
        await resigned(
          next.receipt,
          { idempotencyKey: ledger.receiptsOf(bookB)[1]?.receipt.idempotencyKey as never },
          { ...by, generation: 1 },
        ),
        'idempotency-key-twice',
      ],
      [await resigned(next.receipt, { type: 'CODE_CLAIMED' }, { ...by, generation: 1 }), 'event-unknown'],
    ] as const) {
      world.objects.set(keyAt(bookB, next.position), bytes);
      const { report } = await world.run();
      expect(namesOf(report.faults)).toEqual([{ code, key: keyAt(bookB, next.position) }]);
      expect(namesOf(report.faults)).toEqual(namesOf((await world.full()).faults));
    }
  });

  type Expected = { readonly verdict: Verdict; readonly code: FaultCode; readonly key: string };
  type Tampering = readonly [what: string, tamper: () => Expected | Promise<Expected>];
  const lost = (stream: Stream, ...positions: readonly number[]): Expected => {
    for (const position of positions) world.objects.delete(keyAt(stream, position));
    const isWhole = small.ledger.receiptsOf(stream).length === positions.length;
    const code = isWhole ? 'verified-stream-gone' : 'verified-receipt-gone';
    return { verdict: 'incomplete', code, key: keyAt(stream, positions[0] ?? -1) };
  };
  const edited = (stream: Stream, position: number, from: string | RegExp, to: string, code: FaultCode): Expected => {
    const before = textAt(world.objects, stream, position);
    setText(world.objects, stream, position, before.replace(from, to));
    if (textAt(world.objects, stream, position) === before) throw new Error('this tampering changes nothing');
    return { verdict: 'invalid', code, key: keyAt(stream, position) };
  };
  const another = (stream: Stream, position: number): Promise<Uint8Array> => {
    const stored = small.ledger.receiptsOf(stream).at(position);
    if (stored === undefined) throw new RangeError('there is no such receipt');
    return resigned(stored.receipt, { idempotencyKey: 'somebody-elses' as never }, { identityId: small.anna, generation: 2 });
  };
  const last = (stream: Stream): number => small.ledger.receiptsOf(stream).length - 1;

  const tamperings: readonly Tampering[] = [
    ['the last receipt gone', () => lost(small.bookA, last(small.bookA))],
    ['the last two receipts gone', () => lost(small.bookA, last(small.bookA) - 1, last(small.bookA))],
    ['a receipt in the middle gone', () => lost(small.bookA, 2)],
    ['the first receipt gone', () => lost(small.bookA, 0)],
    ['a whole stream gone', () => lost(small.bookB, 0, 1, 2)],
    ['the last receipt of an account gone', () => lost(accountStream(small.a.accountId), last(accountStream(small.a.accountId)))],
    ['the word of an old receipt changed', () => edited(small.bookA, 2, '"page":2', '"page":7', 'hash-mismatch')],
    [
      'a signature of an old receipt changed',
      () => edited(small.bookA, 2, /"ecdsa-p256:../, '"ecdsa-p256:AA', 'signature-invalid'),
    ],
    [
      'an old receipt swapped for another',
      async () => {
        world.objects.set(keyAt(small.bookA, 2), world.objects.get(keyAt(small.bookA, 3)) ?? new Uint8Array());
        return { verdict: 'invalid', code: 'key-mismatch', key: keyAt(small.bookA, 2) };
      },
    ],
    [
      'the last receipt made anew by whoever has the key',
      async () => {
        const key = keyAt(small.bookA, last(small.bookA));
        world.objects.set(key, await another(small.bookA, -1));
        return { verdict: 'invalid', code: 'verified-receipt-changed', key };
      },
    ],
    [
      'something laid among the receipts',
      () => {
        const key = `${prefixOf(small.bookA)}/events/notes.txt`;
        world.objects.set(key, Buffer.from('hello'));
        return { verdict: 'invalid', code: 'unexpected-object', key };
      },
    ],
  ];

  it.each(tamperings)('tells %s, and keeps the record as it is', async (_, tamper) => {
    await begin();
    const kept = world.manifests();
    const { verdict, code, key } = await tamper();
    const { report, record } = await world.run();
    expect(report.verdict).toBe(verdict);
    expect(namesOf(report.faults)).toContainEqual({ code, key });
    expect([record.written, world.manifests()]).toEqual([null, kept]);
    // And again the next day.
    expect((await world.run()).report).toEqual(report);
  });

  it('tells that an account or the whole ledger is gone', async () => {
    await begin();
    const account = accountStream(small.b.accountId);
    lost(account, 0, 1);
    const without = await world.run();
    expect(without.report.verdict).not.toBe('valid');
    expect(namesOf(without.report.faults)).toContainEqual({ code: 'verified-stream-gone', key: keyAt(account, 0) });
    world.objects.clear();
    const { report } = await world.run();
    expect(report).toMatchObject({ verdict: 'incomplete', receipts: 0, faultCount: 5 });
    expect(report.faults.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'verified-stream-gone'));
  });

  it('tells of a gap over the recorded end as something that was there', async () => {
    await begin();
    const end = last(small.bookA);
    await small.ledger.save(small.bookA, { page: 8 });
    await small.ledger.save(small.bookA, { page: 9 });
    world.grow();
    lost(small.bookA, end, end + 1);
    const { report } = await world.run();
    expect(report).toMatchObject({
      verdict: 'incomplete',
      faults: [{ code: 'verified-receipt-gone', position: end, lastPosition: end + 1 }],
    });
  });
});

describe('verify with a record, of what streams say of each other', () => {
  let d: DomainLedger;
  let world: RecordedLedger;
  beforeAll(async () => {
    d = await domainLedger();
  });
  const begin = async () => {
    d = await domainLedger();
    world = recordedLedger(d);
    const first = await world.run();
    expect(first.report.verdict).toBe('valid');
    return first;
  };

  it('verifies a ledger with every kind of receipt, and reads no book again', async () => {
    const first = await begin();
    const { report, record } = await world.run();
    expect(report).toEqual(first.report);
    expect(record.streams).toEqual({ ...nothing, unchanged: first.report.streams });
    expect(world.reads.filter((key) => /^pixpax\/(?:pixbooks|codes)\//.test(key))).toEqual([]);
  });

  it('judges a draw again when the seed is told that it was made with', async () => {
    await begin();
    const forged = await forgedPack(d, d.a, { dropId: d.drops.open, poolAt: -1, cards: (drawn) => [...drawn].reverse() });
    world.grow(forged);
    expect((await world.run()).report.verdict).toBe('valid');
    expect((await world.run()).record.streams).toMatchObject({ grown: 0, again: 0 });
    await closeDrop(d.ledger, d.collectionId, d.drops.open);
    world.grow(forged);
    const { report } = await world.run();
    expect(namesOf(report.faults)).toEqual([{ code: 'draw-mismatch', key: keyAt(d.a.book, forged.position) }]);
    expect(namesOf(report.faults)).toEqual(namesOf((await world.full()).faults));
  });

  it('finds a draw right once its seed is told, and does not ask again', async () => {
    await begin();
    await closeDrop(d.ledger, d.collectionId, d.drops.open);
    world.grow();
    expect(await world.run()).toMatchObject({ report: { verdict: 'valid' }, record: { streams: { grown: 1, again: 1 } } });
    expect((await world.run()).record.streams).toMatchObject({ grown: 0, again: 0 });
  });

  it('judges new packs by old and new drops', async () => {
    await begin();
    await issuePack(d.ledger, d.a.book, await openDrop(d.ledger, d.collectionId));
    const forged = await forgedPack(d, d.b, { dropId: d.drops.closed, poolAt: -1, packId: codePackIdFor(d.codes.free) });
    world.grow(forged);
    const { report } = await world.run();
    expect(report.verdict).toBe('invalid');
    expect(namesOf(report.faults)).toEqual(namesOf((await world.full()).faults));
  });

  it('tells of a trade that was accepted just before the record and never settled', async () => {
    d = await domainLedger();
    await traded(d.ledger, d.reserved, 'accept-trade');
    world = recordedLedger(d);
    const acceptedMs = Date.parse(d.ledger.headOf(d.c.book)?.createdAt ?? '');
    const soon = await world.run({ nowMs: acceptedMs + 60_000 });
    expect(soon.report.verdict).toBe('valid');
    const { report } = await world.run({ nowMs: acceptedMs + limits.redoOverdueMs + 1 });
    expect(report).toMatchObject({ verdict: 'incomplete', faults: [{ code: 'trade-unsettled' }] });
  });

  it('follows a trade from its acceptance to its end', async () => {
    await begin();
    for (const step of ['accept-trade', 'settle-trade'] as const) {
      await traded(d.ledger, d.reserved, step);
      world.grow();
      const { report, record } = await world.run({ nowMs: d.ledger.nowMs() });
      expect(report).toMatchObject({ verdict: 'valid' });
      expect(record.from?.relied).toBe(true);
    }
  });

  it('takes nothing as verified when a key is ended in the past', async () => {
    const small = await smallLedger();
    const { ledger, b, bert, bookB } = small;
    const rotatedMs = ledger.nowMs();
    ledger.waitUntil(rotatedMs + 60 * 60_000);
    await ledger.save(bookB, { page: 7 });
    world = recordedLedger(small);
    await world.run();
    const publicKey = await ledger.publicKeyOf(bert, 2);
    granted(await ledger.account(b.accountId, { type: 'rotate-key', identityId: bert, publicKey, by: BEN }, { atMs: rotatedMs }));
    world.grow();
    const { report, record } = await world.run();
    expect(record).toMatchObject({ datedBack: true, from: { relied: false }, written: null });
    expect(namesOf(report.faults)).toEqual([{ code: 'key-not-valid-then', key: keyAt(bookB, 3) }]);
    expect(report).toEqual(await world.full());
  });
});
