import { beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import type { InstanceId } from '../src/receipt/ids.ts';
import { codeStream } from '../src/receipt/stream.ts';
import { type DomainLedger, domainLedger } from '../test/domain-ledger.ts';
import { codeId } from '../test/ledger-fixture.ts';
import { audit } from './audit.ts';
import { citationOf, copiesOf, forgedGrant, forgedPack, longAfter, nothingAt, positionIn, receiptAt } from './forgery.fixture.ts';
import { type Forgery, expectNamed } from './named-forgery.fixture.ts';
import { storeSource } from './store-source.ts';
import { objectsOf } from './tampering.fixture.ts';
import { verifyLedger } from './verify.ts';

const madeUp = `ins_${'0'.repeat(26)}` as InstanceId;

const minted: readonly Forgery[] = [
  [
    'a card that its collector minted (rule 3)',
    'issuer-not-authorised',
    ({ ledger, a }) =>
      ledger.forge(
        a.book,
        { type: 'CARD_ADDED', payload: { cards: [{ instanceId: madeUp, cardId: 'sky-1' }], reason: 'mine' } },
        { signer: { accountId: a.book.accountId, identityId: a.identityId } },
      ),
  ],
  ['a card that is not in the catalogue (rule 3)', 'card-unknown', (d) => forgedGrant(d, d.a, [{ cardId: 'sky-9' }])],
  ['a copy with a made-up id (rule 4)', 'illegal-event', (d) => forgedGrant(d, d.a, [{ cardId: 'sky-1', instanceId: madeUp }])],
  [
    'a second copy of an id that another book holds (rule 4)',
    'illegal-event',
    (d) => forgedGrant(d, d.a, copiesOf(d, d.b).slice(0, 1)),
  ],
  [
    'a made-up id in a pack (rule 4)',
    'illegal-event',
    (d) => forgedPack(d, d.a, { dropId: d.drops.open, poolAt: -1, instanceId: madeUp }),
  ],
];

/** Position of the last pool of the first version: before any drop was closed. */
const early = (d: DomainLedger): number => positionIn(d, 'DROP_OPENED', d.drops.late);

const packs: readonly Forgery[] = [
  ['a second pack of a drop (rule 5)', 'illegal-event', (d) => forgedPack(d, d.a, { dropId: d.drops.closed, poolAt: early(d) })],
  [
    'a second pack of a drop under another pack’s id (rule 5)',
    'illegal-event',
    (d) => forgedPack(d, d.a, { dropId: d.drops.open, poolAt: -1, packId: d.packA.receipt.payload.packId as never }),
  ],
  [
    'a pack for another’s code (rule 5)',
    'claim-mismatch',
    (d) => forgedPack(d, d.a, { dropId: d.drops.closed, code: d.codes.used, poolAt: -1 }),
  ],
  [
    'a pack for a revoked code (rule 5)',
    'claim-mismatch',
    (d) => forgedPack(d, d.a, { dropId: d.drops.closed, code: d.codes.revoked, poolAt: -1 }),
  ],
  [
    'a pack for a code that nobody claimed (rule 5)',
    'cited-missing',
    (d) =>
      forgedPack(d, d.a, { dropId: d.drops.late, code: d.codes.free, claim: nothingAt(d, codeStream(d.codes.free)), poolAt: -1 }),
  ],
  [
    'a pack of another drop than its code is worth (rule 5)',
    'claim-mismatch',
    async (d) => {
      const claim = await claimed(d, d.codes.free);
      const code = { code: d.codes.free, claim: citationOf(claim) };
      return [claim, await forgedPack(d, d.a, { dropId: d.drops.open, ...code, poolAt: -1 })];
    },
  ],
  [
    'a pack for a code that was claimed when the drop was closed (rule 5)',
    'claim-too-late',
    async (d) => {
      const claim = await claimed(d, d.codes.free);
      const code = { code: d.codes.free, claim: citationOf(claim) };
      return [claim, await forgedPack(d, d.a, { dropId: d.drops.late, ...code, poolAt: -1, packSize: 3 })];
    },
  ],
  [
    'a claim whose hash is another one',
    'citation-mismatch',
    (d) => {
      const claim = { ...citationOf(receiptAt(d, codeStream(d.codes.used), 1)), hash: `sha256:${'1'.repeat(64)}` };
      return forgedPack(d, d.b, { dropId: d.drops.closed, code: d.codes.free, claim, poolAt: -1 });
    },
  ],
  [
    'a code of a drop that is not there',
    'drop-unknown',
    ({ ledger, collectionId }) =>
      ledger.forge(codeStream(codeId('loose')), {
        type: 'CODE_CREATED',
        payload: { collectionId, dropId: `drp_${'0'.repeat(26)}`, batchId: null },
      }),
  ],
  [
    'a steered draw of a closed drop (rule 6)',
    'draw-mismatch',
    (d) => forgedPack(d, d.idle, { dropId: d.drops.closed, ...inTime(d), cards: (drawn) => [...drawn].reverse() }),
  ],
  [
    'a card that is not in the pool, while the drop is open (rule 6)',
    'draw-mismatch',
    (d) => forgedPack(d, d.a, { dropId: d.drops.open, poolAt: -1, cards: ([, ...rest]) => ['pond-1' as never, ...rest] }),
  ],
  [
    'a pack of another size than the drop’s (rule 6)',
    'pack-size-wrong',
    (d) => forgedPack(d, d.a, { dropId: d.drops.open, poolAt: -1, packSize: 4 }),
  ],
  [
    'a pool of the past, though the drop it is of was opened later (rule 7)',
    'drop-not-open',
    (d) => forgedPack(d, d.a, { dropId: d.drops.open, poolAt: early(d) }),
  ],
  [
    'a drop that was closed when the pool was read (rule 7)',
    'drop-not-open',
    (d) => forgedPack(d, d.c, { dropId: d.drops.closed, poolAt: positionIn(d, 'DROP_CLOSED', d.drops.closed) }),
  ],
  [
    'an understated pool: a draw after its drop was closed, from before (rules 6, 7)',
    'pool-stale',
    (d) => forgedPack(d, d.c, { dropId: d.drops.closed, poolAt: early(d), atMs: longAfter(receiptAt(d, d.c.book, -1)) }),
  ],
  [
    'a pool that is not there',
    'cited-missing',
    (d) =>
      forgedPack(d, d.a, {
        dropId: d.drops.open,
        poolAt: -1,
        pool: nothingAt(d, { type: 'collection', collectionId: d.collectionId }),
      }),
  ],
  [
    'a pool whose hash is another one',
    'citation-mismatch',
    (d) => {
      const { eventId } = citationOf(receiptAt(d, { type: 'collection', collectionId: d.collectionId }, -1));
      return forgedPack(d, d.a, { dropId: d.drops.open, poolAt: -1, pool: { eventId, hash: `sha256:${'1'.repeat(64)}` } });
    },
  ],
];

/** As of the time when the drop was open, for a book that has nothing later. */
const inTime = (d: DomainLedger) => ({ poolAt: early(d), atMs: Date.parse(d.packA.receipt.createdAt) });

/** Ann's claim of a code, now. */
const claimed = ({ ledger, a }: DomainLedger, code: Parameters<typeof codeStream>[0]) =>
  ledger.forge(
    codeStream(code),
    { type: 'CODE_CLAIMED', payload: { ...a.book, type: undefined, identityId: a.identityId, generation: 1 } as never },
    { signer: { accountId: a.book.accountId, identityId: a.identityId } },
  );

describe('a forger of cards and packs who has the keys', () => {
  let whole: DomainLedger;
  beforeAll(async () => {
    whole = await domainLedger();
  });

  it('is not seen where nothing is forged', async () => {
    const store = memoryStore(objectsOf(whole.ledger.receipts));
    const report = await verifyLedger({ source: storeSource(store), trust: whole.ledger.trust });
    expect(report).toMatchObject({ verdict: 'valid', receipts: whole.ledger.receipts.length, faults: [] });
    const audited = { store, trust: whole.ledger.trust, acknowledged: [], projections: [], nowMs: whole.ledger.nowMs() };
    expect(await audit(audited)).toEqual([]);
  });

  it.each([...minted, ...packs])('is named for %s', async (_, code, forge) => {
    await expectNamed(whole, code, [await forge(whole)].flat());
  });
});
