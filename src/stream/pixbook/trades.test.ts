import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { type CardId, tradeIdOf } from '../../receipt/ids.ts';
import {
  type Book,
  after,
  bookOf,
  bookWith,
  cited,
  collectionIdOf,
  copyOf,
  crane,
  creates,
  done,
  dove,
  eagle,
  finch,
  foreignTrade,
  gift,
  headOf,
  hour,
  idOf,
  later,
  live,
  offersTo,
  outcome,
  removes,
  shelf,
  shelfOf,
} from './book.fixture.ts';
import type { PixbookCommand } from './command.ts';
import { accepts, cancels, declines, expires, releases, reserves, settles, tradeOf } from './trade.fixture.ts';

const anna = bookWith('anna', crane, dove);
const ben = bookWith('ben', eagle, finch, finch);
const cleo = bookWith('cleo', eagle);
const [a0, a1] = [idOf(anna, 0), idOf(anna, 1)];
const [b0, b1, b2] = [idOf(ben, 0), idOf(ben, 1), idOf(ben, 2)];

/** Anna gives a crane, and wants Ben's eagle and any finch. */
const swap = offersTo(ben, [a0], { instanceIds: [b0], cardIds: [finch] });
const offered = after(anna, swap);
const tradeId = tradeOf(offered);
const reserved = after(ben, reserves(offered, tradeId, b2));
const accepted = after(offered, accepts(reserved, tradeId));
const settled = after(reserved, settles(accepted, tradeId));
const ends = {
  accept: accepts(reserved, tradeId),
  decline: declines(tradeId),
  cancel: cancels(tradeId),
  expire: expires(tradeId),
};
const end = later(hour);

describe('rule 8: an offer', () => {
  it('names the partner, the copies given with their cards, and what is wanted', () => {
    expect(outcome(anna, swap)).toEqual({
      type: 'CARD_TRADE_OFFERED',
      payload: {
        to: ben.owner,
        give: [copyOf(anna, 0)],
        want: { instanceIds: [b0], cardIds: [finch] },
        expiresAt: end,
      },
    });
  });

  it('puts what it gives in escrow: no second offer, no removal', () => {
    expect(shelf(offered)).toEqual({ ...shelf(anna), ...shelfOf([copyOf(anna, 0)], tradeId) });
    expect(outcome(offered, swap)).toBe('card-in-escrow');
    expect(outcome(offered, removes(a0))).toBe('card-in-escrow');
    expect(outcome(offered, offersTo(cleo, [a1]))).toMatchObject({ type: 'CARD_TRADE_OFFERED' });
  });

  it('may want several copies of one card, or nothing: a gift', () => {
    expect(outcome(anna, offersTo(ben, [a0], { cardIds: [finch, finch] }))).toMatchObject({ type: 'CARD_TRADE_OFFERED' });
    expect(outcome(anna, offersTo(ben, [a0, a1]))).toMatchObject({ payload: { want: gift } });
  });

  const elsewhere = bookOf('ben', collectionIdOf('fish'));
  it.each<[string, string, PixbookCommand]>([
    ['trade-target-missing', 'to nobody', { ...swap, to: null }],
    ['trade-target-missing', 'to a book of another collection', offersTo(elsewhere, [a0])],
    ['trade-with-itself', 'to itself', offersTo(anna, [a0])],
    ['card-not-held', 'of what is another’s', offersTo(ben, [a0, b0])],
    ['card-twice', 'of one copy twice', offersTo(ben, [a0, a0])],
    ['card-twice', 'for one copy twice', offersTo(ben, [a0], { instanceIds: [b0, b0] })],
    ['card-twice', 'for what it gives', offersTo(ben, [a0], { instanceIds: [b0, a0] })],
    ['trade-expiry-invalid', 'for too short', offersTo(ben, [a0], gift, later(limits.offerMinMs - 1))],
    ['trade-expiry-invalid', 'until yesterday', offersTo(ben, [a0], gift, later(-24 * hour))],
    ['trade-expiry-invalid', 'for too long', offersTo(ben, [a0], gift, later(limits.offerMaxMs + 1))],
  ])('is refused with %s %s', (code, _what, command) => {
    expect(outcome(anna, command)).toBe(code);
  });

  it.each([limits.offerMinMs, limits.offerMaxMs])('may stand %i ms', (standsMs) => {
    expect(outcome(anna, offersTo(ben, [a0], gift, later(standsMs)))).toMatchObject({ type: 'CARD_TRADE_OFFERED' });
  });

  it('is one of a limited number of open trades, which ended ones do not count among', () => {
    const busy = (book: Book, openTrades: number): Book => ({ ...book, state: { ...live(book), openTrades } });
    expect(outcome(busy(anna, limits.openTradesPerBook), swap)).toBe('too-many-trades');
    expect(outcome(busy(anna, limits.openTradesPerBook - 1), swap)).toMatchObject({ type: 'CARD_TRADE_OFFERED' });
    expect(outcome(busy(ben, limits.openTradesPerBook), reserves(offered, tradeId, b2))).toBe('too-many-trades');
    expect([anna, offered, accepted, reserved, settled].map((book) => live(book).openTrades)).toEqual([0, 1, 0, 1, 0]);
    for (const command of [ends.decline, ends.cancel]) expect(live(after(offered, command)).openTrades).toBe(0);
  });
});

describe('rule 8: a reservation', () => {
  it('gives what the offer wants and takes what it gives, citing the offer', () => {
    expect(outcome(ben, reserves(offered, tradeId, b2))).toEqual({
      type: 'CARD_TRADE_RESERVED',
      payload: {
        tradeId,
        offer: { accountId: anna.owner.accountId, bookId: anna.owner.bookId, ...headOf(offered) },
        give: [copyOf(ben, 0), copyOf(ben, 2)],
        take: [copyOf(anna, 0)],
      },
    });
  });

  it('puts what is returned in escrow, and brings nothing yet', () => {
    expect(shelf(reserved)).toEqual({ ...shelf(ben), ...shelfOf([copyOf(ben, 0), copyOf(ben, 2)], tradeId) });
    expect(outcome(reserved, removes(b2))).toBe('card-in-escrow');
    expect(outcome(reserved, offersTo(cleo, [b0]))).toBe('card-in-escrow');
  });

  it('is made for a gift too, and keeps the book open', () => {
    const given = after(anna, offersTo(ben, [a0]));
    const taking = after(ben, reserves(given, tradeOf(given)));
    expect(live(taking).openTrades).toBe(1);
    expect(outcome(taking, { type: 'close' })).toBe('trade-pending');
    expect(shelf(taking)).toEqual(shelf(ben));
  });

  const wants = (cards: CardId[], ...copies: (typeof b0)[]) => {
    const wanting = after(anna, offersTo(ben, [a0], { instanceIds: copies, cardIds: cards }));
    return (...give: (typeof b0)[]) => reserves(wanting, tradeOf(wanting), ...give);
  };
  const escrowed = after(ben, offersTo(cleo, [b0]));
  it.each<[string, string, Book, PixbookCommand]>([
    ['trade-missing', 'for no offer', ben, { type: 'reserve-trade', tradeId, offer: null, give: [] }],
    ['trade-not-yours', 'by a book it was not offered to', cleo, reserves(offered, tradeId, b2)],
    ['trade-not-yours', 'by the next book of the same collector', newBookOf(ben), reserves(offered, tradeId, b2)],
    ['trade-reserved', 'twice', reserved, reserves(offered, tradeId, b1)],
    ['trade-reserved', 'once it is settled', settled, reserves(offered, tradeId, b1)],
    ['trade-accepted', 'of what was accepted', ben, reserves(accepted, tradeId, b2)],
    ['trade-declined', 'of what was declined', ben, reserves(after(offered, ends.decline), tradeId, b2)],
    ['trade-cancelled', 'of what was cancelled', ben, reserves(after(offered, ends.cancel), tradeId, b2)],
    ['trade-expired', 'of what has expired', ben, reserves(done(offered, ends.expire, end), tradeId, b2)],
    ['trade-want-mismatch', 'with too little', ben, wants([finch, finch])(b1)],
    ['trade-want-mismatch', 'with too much', ben, wants([finch])(b1, b2)],
    ['trade-want-mismatch', 'with another card', ben, wants([finch])(b0)],
    ['trade-want-mismatch', 'with a thank-you for a gift', ben, wants([])(b0)],
    ['trade-want-mismatch', 'with something besides the copy that is wanted', ben, wants([], b0)(b1)],
    ['card-twice', 'with one copy for two', ben, wants([finch, finch])(b1, b1)],
    ['card-twice', 'with the copy that is wanted, once more', ben, wants([eagle], b0)(b0)],
    ['card-not-held', 'with what is another’s', ben, wants([eagle])(idOf(cleo, 0))],
    ['card-not-held', 'when the copy that is wanted is another’s', ben, wants([], idOf(cleo, 0))()],
    ['card-in-escrow', 'with what another trade keeps', escrowed, wants([eagle])(b0)],
    ['card-in-escrow', 'when another trade keeps the copy that is wanted', escrowed, wants([], b0)()],
  ])('is refused with %s %s', (code, _what, book, command) => {
    expect(outcome(book, command)).toBe(code);
  });

  it('must come in time', () => {
    expect(outcome(ben, reserves(offered, tradeId, b2), later(hour - 1))).toMatchObject({ type: 'CARD_TRADE_RESERVED' });
    expect(outcome(ben, reserves(offered, tradeId, b2), end)).toBe('trade-expired');
  });
});

describe('rule 8: an acceptance', () => {
  it('is in the offerer’s book, quotes offer and reservation, and takes and gives at once', () => {
    expect(outcome(offered, ends.accept)).toEqual({
      type: 'CARD_TRADE_ACCEPTED',
      payload: {
        tradeId,
        offerHash: headOf(offered).hash,
        reservation: headOf(reserved),
        give: [a0],
        receive: [copyOf(ben, 0), copyOf(ben, 2)],
      },
    });
    expect(shelf(accepted)).toEqual(shelfOf([copyOf(anna, 1), copyOf(ben, 0), copyOf(ben, 2)]));
  });

  it('is known by its citation from then on, as every end of an offer is', () => {
    const endOf = (book: Book) => [...live(book).trades.values()].map((trade) => trade.side === 'offerer' && trade.end);
    expect(endOf(offered)).toEqual([null]);
    for (const command of [ends.accept, ends.decline, ends.cancel]) {
      const ended = after(offered, command);
      expect(endOf(ended)).toEqual([headOf(ended)]);
    }
  });

  const acceptsWith = (...give: ReturnType<typeof copyOf>[]): PixbookCommand => ({ ...accepts(reserved, tradeId), give });
  it.each<[string, string, Book, PixbookCommand]>([
    ['trade-missing', 'of no offer', anna, ends.accept],
    ['trade-want-mismatch', 'without the copy that is wanted', offered, acceptsWith(copyOf(ben, 1), copyOf(ben, 2))],
    ['trade-want-mismatch', 'without the card that is wanted', offered, acceptsWith(copyOf(ben, 0))],
    ['trade-want-mismatch', 'with the card that is wanted alone', offered, acceptsWith(copyOf(ben, 2))],
    ['trade-want-mismatch', 'with nothing', offered, acceptsWith()],
    ['trade-want-mismatch', 'with one copy twice', offered, acceptsWith(copyOf(ben, 0), copyOf(ben, 0))],
    ['trade-want-mismatch', 'with more', offered, acceptsWith(copyOf(ben, 0), copyOf(ben, 1), copyOf(ben, 2))],
  ])('is refused with %s %s', (code, _what, book, command) => {
    expect(outcome(book, command)).toBe(code);
  });

  it('must come in time', () => {
    expect(outcome(offered, ends.accept, later(hour - 1))).toMatchObject({ type: 'CARD_TRADE_ACCEPTED' });
    expect(outcome(offered, ends.accept, end)).toBe('trade-expired');
  });
});

describe('rule 8: an offer ends once', () => {
  it.each([
    ['trade-accepted', after(offered, ends.accept)],
    ['trade-declined', after(offered, ends.decline)],
    ['trade-cancelled', after(offered, ends.cancel)],
    ['trade-expired', done(offered, ends.expire, end)],
  ])('with %s, and then in no other way', (code, ended) => {
    for (const command of Object.values(ends)) expect(outcome(ended, command, end)).toBe(code);
  });

  it.each([
    ['CARD_TRADE_DECLINED', ends.decline],
    ['CARD_TRADE_CANCELLED', ends.cancel],
    ['CARD_TRADE_EXPIRED', ends.expire],
  ])('and %s sets free what it kept', (type, command) => {
    expect(outcome(anna, command)).toBe('trade-missing');
    expect(outcome(offered, command, end)).toEqual({ type, payload: { tradeId, instanceIds: [a0] } });
    expect(shelf(done(offered, command, end))).toEqual(shelf(anna));
  });

  it('by expiry not before its time, and by cancelling or declining at any time', () => {
    expect(outcome(offered, ends.expire, later(hour - 1))).toBe('trade-not-expired');
    expect(outcome(offered, ends.cancel, later(2 * hour))).toMatchObject({ type: 'CARD_TRADE_CANCELLED' });
    expect(outcome(offered, ends.decline, later(2 * hour))).toMatchObject({ type: 'CARD_TRADE_DECLINED' });
  });
});

describe('rule 8: what follows in the accepter’s book', () => {
  const cancelled = after(offered, ends.cancel);
  const released = after(reserved, releases(cancelled, tradeId));

  it('is a settlement, which takes and gives what the reservation said', () => {
    expect(outcome(reserved, settles(accepted, tradeId))).toEqual({
      type: 'CARD_TRADE_SETTLED',
      payload: { tradeId, acceptance: headOf(accepted), give: [b0, b2], take: [copyOf(anna, 0)] },
    });
    expect(shelf(settled)).toEqual(shelfOf([copyOf(anna, 0), copyOf(ben, 1)]));
  });

  it('or a release, which leaves everything as it was', () => {
    expect(outcome(reserved, releases(cancelled, tradeId))).toEqual({
      type: 'CARD_TRADE_RELEASED',
      payload: { tradeId, outcome: headOf(cancelled), instanceIds: [b0, b2] },
    });
    expect(shelf(released)).toEqual(shelf(ben));
  });

  it.each([
    ['trade-missing', ben],
    ['trade-accepted', settled],
    ['trade-cancelled', released],
  ])('and is refused with %s', (code, book) => {
    expect(outcome(book, settles(accepted, tradeId))).toBe(code);
    expect(outcome(book, releases(cancelled, tradeId))).toBe(code);
  });

  it('happens whatever time it is: the acceptance came first', () => {
    expect(outcome(reserved, settles(accepted, tradeId), later(1000 * hour))).toMatchObject({ type: 'CARD_TRADE_SETTLED' });
  });
});

describe('rule 8: a copy that comes back before the trade it left by is settled', () => {
  // Ben returned b0 to Anna, and his book shows it in escrow until the settlement that is still to come.
  const returning = after(accepted, offersTo(ben, [b0]));
  const backAgain = tradeOf(returning);

  it('is not taken by a book that still shows it', () => {
    expect(outcome(reserved, reserves(returning, backAgain))).toBe('card-in-escrow');
    expect(outcome(settled, reserves(returning, backAgain))).toMatchObject({ payload: { take: [copyOf(ben, 0)] } });
  });

  it('is not received by an offerer that still shows it', () => {
    // Anna gave b0 on to Cleo, from whom Ben wants it.
    const toCleo = after(accepted, offersTo(cleo, [b0]));
    const cleoTakes = after(cleo, reserves(toCleo, tradeOf(toCleo)));
    const cleoHas = after(cleoTakes, settles(after(toCleo, accepts(cleoTakes, tradeOf(toCleo))), tradeOf(toCleo)));
    const wantsBack = offersTo(cleo, [b1], { instanceIds: [b0] });
    const unsettled = after(reserved, wantsBack);
    const wanted = tradeOf(unsettled);
    const cleoGives = after(cleoHas, reserves(unsettled, wanted));
    expect(outcome(unsettled, accepts(cleoGives, wanted))).toBe('card-in-escrow');
    const inTime = after(unsettled, settles(accepted, tradeId));
    expect(shelf(after(inTime, accepts(cleoGives, wanted)))).toEqual(shelfOf([copyOf(anna, 0), copyOf(ben, 0)]));
  });
});

it('rule 8: a trade that nobody offered is missing everywhere', () => {
  for (const command of [declines(foreignTrade), cancels(foreignTrade), expires(foreignTrade)])
    expect(outcome(offered, command)).toBe('trade-missing');
  expect(tradeIdOf(cited('of nobody').eventId)).toBe(foreignTrade);
});

function newBookOf({ collectionId }: Book): Book {
  const next = bookOf('ben', collectionId, 2);
  return after(next, creates(next));
}
