import { describe, expect, it } from 'vitest';
import type { InstanceId, Instant } from '../../receipt/ids.ts';
import {
  type Book,
  after,
  bookOf,
  bookWith,
  cited,
  collectionIdOf,
  copyOf,
  crane,
  done,
  dove,
  eagle,
  finch,
  foreignTrade,
  hashOf,
  headOf,
  hour,
  judged,
  later,
  live,
  offersTo,
} from './book.fixture.ts';
import type { Instance, PixbookEvent, PixbookEventOf } from './event.ts';
import { accepts, cancels, declines, expires, releases, reserves, settles, tradeOf } from './trade.fixture.ts';

const anna = bookWith('anna', crane, dove);
const ben = bookWith('ben', eagle, finch, finch);
const cleo = bookWith('cleo', eagle);
const [a0, a1, b0, b2] = [copyOf(anna, 0), copyOf(anna, 1), copyOf(ben, 0), copyOf(ben, 2)];
const end = later(hour);

const offered = after(anna, offersTo(ben, [a0.instanceId], { instanceIds: [b0.instanceId], cardIds: [finch] }));
const tradeId = tradeOf(offered);
const reserved = after(ben, reserves(offered, tradeId, b2.instanceId));
const accepted = after(offered, accepts(reserved, tradeId));
const cancelled = after(offered, cancels(tradeId));
const settled = after(reserved, settles(accepted, tradeId));
const released = after(reserved, releases(cancelled, tradeId));

type TradeEventType = Extract<PixbookEvent['type'], `CARD_TRADE_${string}`>;
/** The honest event a book ended with, and what a forger makes of it. */
const forger =
  <T extends TradeEventType>(book: Book, type: T) =>
  (change: Partial<PixbookEventOf<T>['payload']> = {}): PixbookEvent => {
    const event = book.log.at(-1)?.event;
    if (event?.type !== type) throw new Error(`the book does not end with ${type}`);
    return { type, payload: { ...event.payload, ...change } } as PixbookEvent;
  };
const offer = forger(offered, 'CARD_TRADE_OFFERED');
const reservation = forger(reserved, 'CARD_TRADE_RESERVED');
const acceptance = forger(accepted, 'CARD_TRADE_ACCEPTED');
const cancellation = forger(cancelled, 'CARD_TRADE_CANCELLED');
const decline = forger(after(offered, declines(tradeId)), 'CARD_TRADE_DECLINED');
const expiry = forger(done(offered, expires(tradeId), end), 'CARD_TRADE_EXPIRED');
const settlement = forger(settled, 'CARD_TRADE_SETTLED');
const release = forger(released, 'CARD_TRADE_RELEASED');

const asCard = (copy: Instance, cardId = dove): Instance => ({ ...copy, cardId });
const fromNowhere: Instance = { instanceId: 'ins_00000000000000000000000000' as InstanceId, cardId: finch };
const { owner } = ben;
const partnerId = 'the partner’s bookId does not follow';

type Forgery = readonly [what: string, before: Book, event: PixbookEvent, why: string, at?: Instant];

const finds = (forgeries: readonly Forgery[]): void => {
  for (const [what, before, event, why, at] of forgeries)
    it(`finds ${what}`, () => {
      expect(judged(before, event, at)).toContain(why);
    });
};

describe('replaying the offerer’s book', () => {
  finds([
    ['an offer of what is not held', anna, offer({ give: [b0] }), 'does not hold'],
    ['an offer of what another trade keeps', offered, offer(), `in escrow of ${tradeId}`],
    ['an offer of one copy twice', anna, offer({ give: [a0, a0] }), 'named twice'],
    ['an offer of a copy as another card', anna, offer({ give: [asCard(a0)] }), 'of another card'],
    ['an offer for what it gives', anna, offer({ want: { instanceIds: [a0.instanceId], cardIds: [] } }), 'both given and wanted'],
    ['an offer for one copy twice', anna, offer({ want: { instanceIds: [b0.instanceId, b0.instanceId], cardIds: [] } }), 'twice'],
    ['an offer to itself', anna, offer({ to: anna.owner }), 'the pixbook itself'],
    ['an offer to another’s book', anna, offer({ to: { ...owner, bookId: cleo.owner.bookId } }), partnerId],
    ['an offer to another identity', anna, offer({ to: { ...owner, identityId: cleo.owner.identityId } }), partnerId],
    ['an offer to another generation', anna, offer({ to: { ...owner, generation: 2 } }), partnerId],
    ['an offer to another collection', anna, offer({ to: bookOf('ben', collectionIdOf('fish')).owner }), partnerId],
    ['an offer that was over before it began', anna, offer(), 'expired before it was made', end],

    ['an acceptance of no offer', anna, acceptance(), 'there is no such offer'],
    ['an acceptance of another offer', offered, acceptance({ tradeId: foreignTrade }), 'there is no such offer'],
    ['an acceptance that quotes other bytes', offered, acceptance({ offerHash: hashOf('other') }), 'quotes another offer'],
    ['an acceptance that came too late', offered, acceptance(), 'the time of the offer was over', end],
    [
      'an acceptance that takes more',
      offered,
      acceptance({ give: [a0.instanceId, a1.instanceId] }),
      'other copies than the offer',
    ],
    ['an acceptance that takes another copy', offered, acceptance({ give: [a1.instanceId] }), 'other copies than the offer'],
    ['an acceptance that returns nothing', offered, acceptance({ receive: [] }), 'not those the offer wants'],
    ['an acceptance that returns too little', offered, acceptance({ receive: [b0] }), 'not those the offer wants'],
    ['an acceptance that returns the card alone', offered, acceptance({ receive: [b2] }), 'not those the offer wants'],
    ['an acceptance that returns more', offered, acceptance({ receive: [b0, b2, fromNowhere] }), 'not those the offer wants'],
    ['an acceptance that returns another card', offered, acceptance({ receive: [b0, asCard(b2)] }), 'not those the offer wants'],
    ['an acceptance that returns one copy twice', offered, acceptance({ receive: [b0, b0] }), 'not those the offer wants'],
    [
      'an acceptance that returns what is here',
      offered,
      acceptance({ receive: [b0, asCard(a1, finch)] }),
      'holds one of the copies',
    ],
    ['a second acceptance', accepted, acceptance(), 'the offer is accepted'],
    ['an acceptance after the end', cancelled, acceptance(), 'the offer is cancelled'],

    ['a cancellation after the acceptance', accepted, cancellation(), 'the offer is accepted'],
    ['a cancellation of no offer', anna, cancellation(), 'there is no such offer'],
    [
      'a cancellation that frees another copy',
      offered,
      cancellation({ instanceIds: [a1.instanceId] }),
      'other copies than the offer',
    ],
    ['a decline after the cancellation', cancelled, decline(), 'the offer is cancelled'],
    ['a decline that frees nothing', offered, decline({ instanceIds: [] }), 'other copies than the offer'],
    ['an expiry before its time', offered, expiry(), 'the offer stood still', later(hour - 1)],
    ['an expiry after the acceptance', accepted, expiry(), 'the offer is accepted', end],
    ['a settlement', offered, settlement(), 'there is no such reservation'],
    ['a release', offered, release(), 'there is no such reservation'],
  ]);
});

describe('replaying the accepter’s book', () => {
  const cites = headOf(offered);
  const { accountId, bookId } = anna.owner;

  finds([
    ['a reservation for another trade', ben, reservation({ tradeId: foreignTrade }), 'tradeId does not follow'],
    [
      'a reservation under another offer',
      ben,
      reservation({ offer: { accountId, bookId, ...cited('x') } }),
      'tradeId does not follow',
    ],
    [
      'a reservation for its own offer',
      ben,
      reservation({ offer: { ...cites, accountId, bookId: owner.bookId } }),
      'pixbook’s own',
    ],
    ['a second reservation', reserved, reservation({ give: [] }), 'reserved for this trade before'],
    ['a reservation after the settlement', settled, reservation({ give: [] }), 'reserved for this trade before'],
    ['a reservation of what is not held', ben, reservation({ give: [a1] }), 'does not hold'],
    ['a reservation of one copy twice', ben, reservation({ give: [b0, b0] }), 'named twice'],
    ['a reservation of a copy as another card', ben, reservation({ give: [asCard(b0)] }), 'of another card'],
    ['a reservation of what another trade keeps', after(ben, offersTo(cleo, [b0.instanceId])), reservation(), 'in escrow of'],
    ['a reservation that takes what is here', ben, reservation({ give: [], take: [b0] }), 'holds one of the copies taken'],
    ['a reservation that takes what it gives', ben, reservation({ take: [a0, b0] }), 'holds one of the copies taken'],
    ['a reservation that takes one copy twice', ben, reservation({ take: [a0, a0] }), 'taken twice'],

    ['a settlement without a reservation', ben, settlement(), 'there is no such reservation'],
    ['a second settlement', settled, settlement(), 'the reservation is settled'],
    ['a settlement after the release', released, settlement(), 'the reservation is released'],
    ['a settlement that gives less', reserved, settlement({ give: [b0.instanceId] }), 'other copies than the reservation gives'],
    ['a settlement that gives nothing', reserved, settlement({ give: [] }), 'other copies than the reservation gives'],
    ['a settlement that takes more', reserved, settlement({ take: [a0, a1] }), 'other copies than the reservation'],
    ['a settlement that takes from nowhere', reserved, settlement({ take: [fromNowhere] }), 'other copies than the reservation'],
    ['a settlement that takes another card', reserved, settlement({ take: [asCard(a0)] }), 'other copies than the reservation'],
    ['a release after the settlement', settled, release(), 'the reservation is settled'],
    ['a release that frees less', reserved, release({ instanceIds: [b0.instanceId] }), 'other copies than the reservation gives'],
    ['an acceptance', reserved, acceptance(), 'there is no such offer'],
    ['a cancellation', reserved, cancellation(), 'there is no such offer'],
    // Only a forged reservation could cite an offer of the very stream it is in while it names another book.
    [
      'a reservation that hides behind its twin',
      offered,
      reservation({ give: [], take: [b0] }),
      'the offer is the pixbook’s own',
    ],
  ]);

  it('takes the honest ones', () => {
    expect(judged(anna, offer())).toBe('legal');
    expect(judged(ben, reservation())).toBe('legal');
    for (const event of [acceptance(), cancellation(), decline()]) expect(judged(offered, event)).toBe('legal');
    for (const event of [expiry(), cancellation(), decline()]) expect(judged(offered, event, end)).toBe('legal');
    for (const event of [settlement(), release()]) expect(judged(reserved, event)).toBe('legal');
  });
});

describe('a state that cannot be', () => {
  // What a projection that lost a row, or the escrow of one, would show: nothing may follow from it.
  const without = (book: Book, { instanceId }: Instance): Book => ({
    ...book,
    state: { ...live(book), cards: live(book).cards.delete(instanceId) },
  });
  it.each<[string, Book, PixbookEvent, string]>([
    ['an acceptance', without(offered, a0), acceptance(), 'does not keep the copies'],
    ['a cancellation', without(offered, a0), cancellation(), 'does not keep the copies'],
    ['a settlement', without(reserved, b0), settlement(), 'does not keep the copies'],
    ['a release', without(reserved, b0), release(), 'does not keep the copies'],
  ])('is not made worse by %s of copies that are not kept', (_what, before, event, why) => {
    expect(judged(before, event)).toContain(why);
  });

  it('in which a taken copy is here already is not made worse by the settlement', () => {
    const holding: Book = { ...reserved, state: { ...live(reserved), cards: live(reserved).cards.merge(live(anna).cards) } };
    expect(judged(holding, settlement())).toContain('holds one of the copies taken');
  });
});
