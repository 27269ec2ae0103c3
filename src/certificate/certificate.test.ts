import { beforeAll, describe, expect, it } from 'vitest';
import { type DomainLedger, domainLedger } from '../../test/domain-ledger.ts';
import { traded } from '../../test/ledger-trade.ts';
import type { PublicKeyId, TradeId } from '../receipt/ids.ts';
import { keyAt } from '../receipt/key-path.ts';
import { codeStream } from '../receipt/stream.ts';
import { type Json, asFile, storeOf } from './certificate.fixture.ts';
import { packCertificate, tradeCertificate } from './make.ts';
import { verifyCertificate } from './verify.ts';

const receiptsOf = ({ ledger }: DomainLedger, book: DomainLedger['a']['book'], type: string) =>
  ledger.receiptsOf(book).filter(({ receipt }) => receipt.type === type);

const packOf = async (d: DomainLedger, { book }: DomainLedger['a'], nth: number) => {
  const eventId = receiptsOf(d, book, 'PACK_ISSUED').at(nth)?.receipt.eventId;
  if (eventId === undefined) throw new Error('no such pack');
  return asFile(await packCertificate(storeOf(d.ledger.receipts), { ...book, eventId }));
};

const tradeOf = async (d: DomainLedger, { book }: DomainLedger['a'], tradeId: TradeId) =>
  asFile(await tradeCertificate(storeOf(d.ledger.receipts), { ...book, tradeId }));

describe('a certificate', () => {
  let d: DomainLedger;
  beforeAll(async () => {
    d = await domainLedger();
  });

  it('proves a swap: who gave what to whom, and when', async () => {
    const verdict = verifyCertificate(await tradeOf(d, d.a, d.swap), d.ledger.trust);
    const [offered] = receiptsOf(d, d.a.book, 'CARD_TRADE_OFFERED');
    const [accepted] = receiptsOf(d, d.a.book, 'CARD_TRADE_ACCEPTED');
    const [settled] = receiptsOf(d, d.b.book, 'CARD_TRADE_SETTLED');
    const trader = ({ account, identityId, book }: DomainLedger['a'], gave: unknown) => ({
      ...{ accountId: account.accountId, identityId, bookId: book.bookId, gave },
    });
    expect(verdict).toEqual({
      ...{ verdict: 'valid', format: 'pixpax-trade-certificate/v1', fingerprint: d.ledger.trust, pinned: true, fault: null },
      cannotProve: expect.arrayContaining([expect.stringContaining('revoked'), expect.stringContaining('came from')]),
      proves: {
        what: 'trade',
        tradeId: d.swap,
        collectionId: d.collectionId,
        offerer: trader(d.a, offered?.receipt.payload.give),
        accepter: trader(d.b, accepted?.receipt.payload.receive),
        offeredAt: offered?.receipt.createdAt,
        acceptedAt: accepted?.receipt.createdAt,
        settledAt: settled?.receipt.createdAt,
      },
    });
  });

  it('proves a gift, and a trade that is not settled yet', async () => {
    expect(verifyCertificate(await tradeOf(d, d.b, d.gift), null)).toMatchObject({
      ...{ verdict: 'valid', pinned: false },
      proves: { offerer: { identityId: d.b.identityId }, accepter: { gave: [] } },
    });
    const other = await domainLedger();
    expect(await tradeCertificate(storeOf(other.ledger.receipts), { ...other.c.book, tradeId: other.reserved })).toBeNull();
    await traded(other.ledger, other.reserved, 'accept-trade');
    const proven = verifyCertificate(await tradeOf(other, other.c, other.reserved), other.ledger.trust);
    expect(proven).toMatchObject({ verdict: 'valid', proves: { settledAt: null } });
  });

  it('proves a pack of a closed drop, whose draw it does again', async () => {
    const verdict = verifyCertificate(await packOf(d, d.a, 0), d.ledger.trust);
    expect(verdict).toMatchObject({
      verdict: 'valid',
      proves: { what: 'pack', dropId: d.drops.closed, identityId: d.a.identityId, draw: 'recomputed', code: null },
    });
    expect(verdict.proves).toMatchObject({ cards: d.packA.receipt.payload.cards });
  });

  it('proves a pack of an open drop, but for its draw', async () => {
    const verdict = verifyCertificate(await packOf(d, d.c, -1), d.ledger.trust);
    expect(verdict).toMatchObject({ verdict: 'valid', proves: { dropId: d.drops.open, draw: 'drop-open' } });
    expect(verdict.cannotProve.join()).toContain('how the cards were drawn');
  });

  it.each([
    ['in time', (l: DomainLedger) => [l.b, -1, l.codes.used] as const],
    ['in time, though the pack came when the drop was closed', (l: DomainLedger) => [l.c, 0, l.codes.slow] as const],
  ])('proves a pack by a code that was claimed %s', async (_, which) => {
    const [family, nth, code] = which(d);
    const verdict = verifyCertificate(await packOf(d, family, nth), d.ledger.trust);
    const claimedAt = d.ledger.receiptsOf(codeStream(code))[1]?.receipt.createdAt;
    expect(verdict).toMatchObject({ verdict: 'valid', proves: { code: { codeId: code, claimedAt }, draw: 'recomputed' } });
  });

  it('is not made of what is not there, or has not come about', async () => {
    const store = storeOf(d.ledger.receipts);
    const [pack] = receiptsOf(d, d.a.book, 'PACK_ISSUED');
    const eventId = pack?.receipt.eventId ?? ('' as never);
    expect(await tradeCertificate(store, { ...d.a.book, tradeId: d.cancelled })).toBeNull();
    expect(await tradeCertificate(store, { ...d.b.book, tradeId: d.swap })).toBeNull();
    expect(await packCertificate(store, { ...d.b.book, eventId })).toBeNull();
    expect(await packCertificate(store, { ...d.a.book, eventId: d.swap.slice(4) as never })).toBeNull();
  });

  it('shows of an account the receipts of the keys that signed, and no other', async () => {
    const types = (await tradeOf(d, d.a, d.swap)).receipts.flatMap(({ key, text }) =>
      key.includes('/accounts/acc_operator/') || !key.includes('/accounts/') ? [] : [(JSON.parse(text) as { type: string }).type],
    );
    expect(new Set(types)).toEqual(new Set(['IDENTITY_CREATED', 'IDENTITY_KEY_ROTATED']));
  });

  it('is nothing to who trusts another ledger', async () => {
    const other = `sha256:${'0'.repeat(64)}` as PublicKeyId;
    expect(verifyCertificate(await tradeOf(d, d.a, d.swap), other)).toMatchObject({
      verdict: 'invalid',
      fault: { code: 'trust-mismatch' },
    });
  });

  it.each([
    [null],
    [[]],
    ['text'],
    [{}],
    [{ format: 'pixpax-trade-certificate/v2' }],
    [{ format: 'pixpax-pack-certificate/v1', receipts: [] }],
  ])('is not %j', (value) => {
    expect(verifyCertificate(value, null)).toMatchObject({ verdict: 'invalid', fault: { code: 'not-a-certificate' } });
  });

  it.each([
    ['trade', (l: DomainLedger) => tradeOf(l, l.a, l.swap)],
    ['pack by drop', (l: DomainLedger) => packOf(l, l.a, 0)],
    ['pack by code', (l: DomainLedger) => packOf(l, l.c, 0)],
  ])('of a %s proves nothing once any part of it is changed, left out, doubled or added', async (_, made) => {
    const good = await made(d);
    const refused = (change: (certificate: Json) => void) => {
      const certificate = asFile(good);
      change(certificate);
      return verifyCertificate(certificate, d.ledger.trust);
    };
    const settled = d.ledger.receiptsOf(d.b.book).find(({ receipt }) => receipt.type === 'CARD_TRADE_SETTLED');
    const optional = new Set([keyAt(d.b.book, settled?.position ?? 0)]);
    for (const [i, { key, text }] of good.receipts.entries()) {
      const type = (JSON.parse(text) as { type: string }).type;
      const changed = refused(({ receipts }) =>
        set(receipts, i, { key, text: text.replace(/"createdAt":"2026/, '"createdAt":"2025') }),
      );
      expect(changed.fault, `${type} changed`).toMatchObject({ code: 'hash-mismatch', key });
      const moved = refused(({ receipts }) => set(receipts, i, { key: `${key.slice(0, -6)}0.json`, text }));
      expect(moved.fault?.code, `${type} moved`).toBe('key-mismatch');
      const doubled = refused(({ receipts }) => receipts.push({ key, text }));
      expect(doubled.fault, `${type} doubled`).toMatchObject({ code: 'receipt-twice', key });
      const without = refused(({ receipts }) => receipts.splice(i, 1));
      // Later keys, the seed and the settlement may be unknown to whoever made it; all else is needed.
      const spare = optional.has(key) || /ROTATED|DROP_CLOSED/.test(type);
      if (!spare) expect(without.verdict, `${type} left out`).toBe('invalid');
    }
    const stranger = d.ledger.receiptsOf(d.idle.book)[0];
    const shown = { key: keyAt(d.idle.book, 0), text: Buffer.from(stranger?.bytes ?? []).toString('utf8') };
    const keys = d.ledger.receiptsOf(d.idle.account)[1];
    const idleKey = { key: keyAt(d.idle.account, 1), text: Buffer.from(keys?.bytes ?? []).toString('utf8') };
    expect(refused(({ receipts }) => receipts.push(idleKey, shown)).fault).toMatchObject({
      code: 'receipt-unneeded',
      key: shown.key,
    });
    expect(refused((certificate) => set(certificate, 'fingerprint', `sha256:${'0'.repeat(64)}`)).fault?.code).toBe(
      'fingerprint-mismatch',
    );
    const about = 'tradeId' in good ? ['tradeId', d.gift] : ['packId', `pck_${'0'.repeat(26)}`];
    expect(refused((certificate) => set(certificate, String(about[0]), about[1])).fault?.code).toBe('receipt-missing');
    expect(refused((certificate) => set(certificate, 'more', true)).fault?.code).toBe('not-a-certificate');
  });
});

const set = (target: object, member: number | string, value: unknown): void => {
  Object.assign(target, { [member]: value });
};
