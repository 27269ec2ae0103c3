import { beforeAll, describe, it } from 'vitest';
import { offerEventIdOf } from '../src/receipt/ids.ts';
import { offerIn } from '../src/stream/pixbook/state.ts';
import { type DomainLedger, domainLedger } from '../test/domain-ledger.ts';
import { liveBookIn } from '../test/ledger-state.ts';
import { citationOf, copiesOf, forgedOffer, forgedReservation, nothingAt, receiptAt, receiptOf } from './forgery.fixture.ts';
import { type Forgery, expectNamed } from './named-forgery.fixture.ts';

/** What the standing offer of Cleo to Ben gives, and how an acceptance quotes it. */
const acceptanceOf = (d: DomainLedger, reservation: object) => {
  const offer = offerIn(liveBookIn(d.ledger, d.c.book), d.standing);
  const give = offer?.give.map(({ instanceId }) => instanceId);
  const payload = { tradeId: d.standing, offerHash: offer?.offerHash, reservation, give, receive: [] };
  return { type: 'CARD_TRADE_ACCEPTED', payload: payload as never };
};

const standingOffer = (d: DomainLedger) => {
  const stored = receiptAt(d, d.c.book, -2);
  if (stored.receipt.eventId !== offerEventIdOf(d.standing)) throw new Error('the fixture has changed');
  return { stored, payload: stored.receipt.payload as never, tradeId: d.standing } as Awaited<ReturnType<typeof forgedOffer>>;
};

/** How the settlement or release of Cleo's offer that Ann has reserved for would be written. */
const endOf = (d: DomainLedger, type: 'SETTLED' | 'RELEASED', cited: object) => {
  const { take } = receiptOf(d, d.a.book, 'CARD_TRADE_RESERVED', d.reserved).receipt.payload;
  const rest = type === 'SETTLED' ? { acceptance: cited, give: [], take } : { outcome: cited, instanceIds: [] };
  return { type: `CARD_TRADE_${type}`, payload: { tradeId: d.reserved, ...rest } as never };
};

const trades: readonly Forgery[] = [
  [
    'a trade whose offer never was (rule 8)',
    'cited-missing',
    async (d) => {
      const offer = await forgedOffer(d, d.c, d.b);
      return forgedReservation(d, d.b, offer);
    },
  ],
  [
    'a trade whose offer is another receipt (rule 8)',
    'trade-mismatch',
    (d) => {
      const stored = receiptOf(d, d.c.book, 'PACK_ISSUED');
      const [copy] = copiesOf(d, d.c);
      return forgedReservation(
        d,
        d.b,
        { ...standingOffer(d), stored, tradeId: `trd_${stored.receipt.eventId}` as never },
        {
          take: copy === undefined ? [] : [copy],
        },
      );
    },
  ],
  [
    'a reservation that quotes its offer with another hash (rule 8)',
    'citation-mismatch',
    (d) => {
      const offer = standingOffer(d);
      const { eventId } = offer.stored.receipt;
      const cited = { accountId: d.c.book.accountId, bookId: d.c.book.bookId, eventId, hash: `sha256:${'1'.repeat(64)}` };
      return forgedReservation(d, d.b, offer, { offer: cited });
    },
  ],
  ['a reservation by whom nothing was offered (rule 8)', 'trade-mismatch', (d) => forgedReservation(d, d.a, standingOffer(d))],
  [
    'a reservation that takes more than is given (rule 8)',
    'trade-mismatch',
    (d) => forgedReservation(d, d.b, standingOffer(d), { take: copiesOf(d, d.c).slice(0, 2) }),
  ],
  [
    'a reservation that gives what is not wanted (rule 8)',
    'trade-mismatch',
    (d) => forgedReservation(d, d.b, standingOffer(d), { give: copiesOf(d, d.b).slice(0, 1) }),
  ],
  [
    'an acceptance by a third identity (rule 8)',
    'issuer-not-authorised',
    ({ ledger, a, c, ...d }) =>
      ledger.forge(c.book, acceptanceOf({ ledger, a, c, ...d }, nothingAt({ ledger, a, c, ...d }, a.book)), {
        signer: { accountId: a.book.accountId, identityId: a.identityId },
      }),
  ],
  [
    'an acceptance without a reservation (rule 8)',
    'cited-missing',
    (d) => d.ledger.forge(d.c.book, acceptanceOf(d, nothingAt(d, d.b.book))),
  ],
  [
    'an acceptance by the reservation of another trade (rule 8)',
    'trade-mismatch',
    (d) => d.ledger.forge(d.c.book, acceptanceOf(d, citationOf(receiptOf(d, d.b.book, 'CARD_TRADE_RESERVED', d.cancelled)))),
  ],
  [
    'an acceptance that receives what the reservation does not give (rule 8)',
    'illegal-event',
    async (d) => {
      const reservation = await forgedReservation(d, d.b, standingOffer(d));
      const { type, payload } = acceptanceOf(d, citationOf(reservation));
      const receive = copiesOf(d, d.b).slice(0, 1);
      return [reservation, await d.ledger.forge(d.c.book, { type, payload: { ...(payload as object), receive } })];
    },
  ],
  [
    'a settlement without acceptance (rule 8)',
    'cited-missing',
    (d) => d.ledger.forge(d.a.book, endOf(d, 'SETTLED', nothingAt(d, d.c.book))),
  ],
  [
    'a settlement by what is no acceptance of this trade (rule 8)',
    'trade-mismatch',
    (d) => d.ledger.forge(d.a.book, endOf(d, 'SETTLED', citationOf(receiptOf(d, d.c.book, 'CARD_TRADE_EXPIRED')))),
  ],
  [
    'a release by the end of another trade (rule 8)',
    'trade-mismatch',
    (d) => d.ledger.forge(d.a.book, endOf(d, 'RELEASED', citationOf(receiptOf(d, d.c.book, 'CARD_TRADE_EXPIRED')))),
  ],
  [
    'a card given twice (rule 8)',
    'illegal-event',
    async (d) => (await forgedOffer(d, d.c, d.a, { give: standingOffer(d).payload.give })).stored,
  ],
];

describe('a forger of trades who has the keys', () => {
  let whole: DomainLedger;
  beforeAll(async () => {
    whole = await domainLedger();
  });

  it.each(trades)('is named for %s', async (_, code, forge) => {
    await expectNamed(whole, code, [await forge(whole)].flat());
  });
});
