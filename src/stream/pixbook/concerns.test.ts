import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CardId, type TradeId, tradeIdOf } from '../../receipt/ids.ts';
import {
  type Book,
  adds,
  after,
  bookOf,
  bookWith,
  closes,
  copyOf,
  crane,
  creates,
  dove,
  eagle,
  finch,
  headOf,
  hereIn,
  idOf,
  issuesOf,
  type live,
  noon,
  offersTo,
  placeOf,
  removes,
} from './book.fixture.ts';
import type { PixbookCommand } from './command.ts';
import { type Concerns, concernsNothing, concernsOfCommand, concernsOfEvent, noConcerns } from './concerns.ts';
import { idsOf } from './copies.ts';
import { decidePixbook } from './decide.ts';
import type { PixbookEvent } from './event.ts';
import { changeBy, sliced } from './slice.fixture.ts';
import { accepts, cancels, declines, expires, releases, reserves, settles, tradeOf } from './trade.fixture.ts';
import { type Step, act, actions, newWorld } from './trade-world.fixture.ts';

const anna = bookWith('anna', crane, dove);
const ben = bookWith('ben', eagle, finch);
const [a0, b0, b1] = [idOf(anna, 0), idOf(ben, 0), idOf(ben, 1)];
const swap = offersTo(ben, [a0], { instanceIds: [b0], cardIds: [finch] });
const offered = after(anna, swap);
const tradeId = tradeOf(offered);
const reserved = after(ben, reserves(offered, tradeId, b1));
const accepted = after(offered, accepts(reserved, tradeId));
const cancelled = after(offered, cancels(tradeId));
const packed = after(anna, issuesOf(anna));
const { packId } = issuesOf(anna);
const opens: PixbookCommand = { type: 'open-pack', packId };
const trade = { tradeIds: [tradeId] };
const packCopies = [2, 3, 4].map((n) => idOf(packed, n));

describe('what a command and its event concern', () => {
  it.each<[string, Book, PixbookCommand, Partial<Concerns>, Partial<Concerns>]>([
    ['a creation', bookOf('anna'), creates(bookOf('anna')), {}, {}],
    ['a save', anna, { type: 'save', state: {}, baseEventId: headOf(anna).eventId }, {}, {}],
    ['a close', anna, closes, { openTrades: true }, { openTrades: true }],
    ['a pack', anna, issuesOf(anna), { packIds: [packId] }, { packIds: [packId], instanceIds: packCopies }],
    ['an opening', packed, opens, { packIds: [packId] }, { packIds: [packId] }],
    ['a grant', anna, adds(crane), {}, { instanceIds: [idOf(after(anna, adds(crane)), 2)] }],
    ['a removal', anna, removes(a0), { instanceIds: [a0] }, { instanceIds: [a0] }],
    ['an offer', anna, swap, { instanceIds: [a0], openTrades: true }, { instanceIds: [a0], openTrades: true }],
    [
      'a reservation: also what it takes',
      ben,
      reserves(offered, tradeId, b1),
      { ...trade, instanceIds: [b1, b0, a0], openTrades: true },
      { ...trade, instanceIds: [b0, b1, a0], openTrades: true },
    ],
    [
      'an acceptance: also what it receives',
      offered,
      accepts(reserved, tradeId),
      { ...trade, instanceIds: [b0, b1] },
      { ...trade, instanceIds: [a0, b0, b1] },
    ],
    ['a settlement: also what it takes', reserved, settles(accepted, tradeId), trade, { ...trade, instanceIds: [b0, b1, a0] }],
    ['a release', reserved, releases(cancelled, tradeId), trade, { ...trade, instanceIds: [b0, b1] }],
    ['a decline', offered, declines(tradeId), trade, { ...trade, instanceIds: [a0] }],
    ['a cancellation', offered, cancels(tradeId), trade, { ...trade, instanceIds: [a0] }],
  ])('of %s', (_what, before, command, ofCommand, ofEvent) => {
    expect(concernsOfCommand(command)).toEqual({ ...noConcerns, ...ofCommand });
    const event = after(before, command).log.at(-1)?.event;
    expect(event && concernsOfEvent(event)).toEqual({ ...noConcerns, ...ofEvent });
    expect(concernsNothing(concernsOfCommand(command))).toBe(Object.keys(ofCommand).length === 0);
  });

  it('of an expiry is its trade, and of a reservation for no offer what is given', () => {
    expect(concernsOfCommand(expires(tradeId))).toEqual({ ...noConcerns, ...trade });
    expect(concernsOfCommand({ type: 'reserve-trade', tradeId, offer: null, give: [b1] })).toEqual({
      ...noConcerns,
      ...trade,
      instanceIds: [b1],
      openTrades: true,
    });
  });
});

/** Every step of a story, in order. */
const stepsOf = (story: Parameters<typeof act>[1][]): Step[] => {
  let world = newWorld(noon);
  return story.flatMap((action) => {
    const next = act(world, action);
    world = next.world;
    return next.step ?? [];
  });
};

describe('the slice of a book that a command or an event concerns', () => {
  it('is all that decide and evolve look at', () => {
    fc.assert(
      fc.property(actions(60), (story) => {
        for (const { before, command, here, outcome } of stepsOf(story)) {
          const slice = sliced(before, concernsOfCommand(command));
          const decided = decidePixbook(slice, command, here);
          expect(decided.ok ? decided.value : decided.error.code).toEqual(outcome);
          if (typeof outcome === 'string') continue;
          const place = placeOf(outcome, here);
          expect(changeBy(slice, outcome, place)).toEqual(changeBy(before, outcome, place));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is all that evolve looks at, of honest events, of those of other books and times, and of forged ones', () => {
    fc.assert(
      fc.property(actions(60), fc.infiniteStream(fc.nat()), (story, choices) => {
        const choose = <T>(from: readonly T[]): T | undefined => from[choices.next().value % from.length];
        const steps = stepsOf(story);
        const events = steps.flatMap(({ outcome }) => (typeof outcome === 'string' ? [] : outcome));
        for (const { before, here, outcome } of steps) {
          const forged = before.status === 'open' ? forgeriesIn(before, choose) : [];
          const tried = [...forged, choose(events), typeof outcome === 'string' ? undefined : outcome];
          for (const event of tried.filter((some) => some !== undefined)) {
            const place = placeOf(event, here);
            const slice = sliced(before, concernsOfEvent(event));
            expect(changeBy(slice, event, place)).toEqual(changeBy(before, event, place));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('shows a second settlement of one copy, which only a forger can get so far', () => {
    const give = after(anna, offersTo(ben, [a0]));
    const again = after(cancelled, offersTo(ben, [a0]));
    const both = after(ben, reserves(give, tradeOf(give)), reserves(again, tradeOf(again)));
    const twice = after(both, settles(after(give, accepts(both, tradeOf(give))), tradeOf(give)));
    const event: PixbookEvent = {
      type: 'CARD_TRADE_SETTLED',
      payload: { tradeId: tradeOf(again), acceptance: headOf(accepted), give: [], take: [copyOf(anna, 0)] },
    };
    const place = placeOf(event, hereIn(twice));
    const found = { code: 'illegal-event', detail: expect.stringContaining('holds one of the copies taken') };
    expect(changeBy(twice.state, event, place)).toEqual(found);
    expect(changeBy(sliced(twice.state, concernsOfEvent(event)), event, place)).toEqual(found);
  });
});

/** Trade steps that are right but for the copies they bring, which the book holds already. */
const forgeriesIn = (state: ReturnType<typeof live>, choose: <T>(from: readonly T[]) => T | undefined): PixbookEvent[] => {
  const cites = headOf(accepted);
  const asCard = (cardId: CardId) => {
    const instanceId = choose([...state.cards.keys()]);
    return instanceId === undefined ? [] : [{ instanceId, cardId }];
  };
  const { accountId, bookId } = anna.owner;
  const reservation = {
    tradeId: tradeIdOf(cites.eventId),
    offer: { accountId, bookId, ...cites },
    give: [],
    take: asCard(crane),
  };
  const acceptances = [...state.trades].flatMap(([key, offer]) => {
    if (offer.side === 'accepter') return [];
    const { offerHash, want, give } = offer;
    const wanted = want.instanceIds.map((instanceId) => ({ instanceId, cardId: crane }));
    const receive = [...wanted, ...want.cardIds.flatMap(asCard)];
    return [{ tradeId: key.slice('offerer '.length) as TradeId, offerHash, reservation: cites, give: idsOf(give), receive }];
  });
  return [
    { type: 'CARD_TRADE_RESERVED', payload: reservation },
    ...acceptances.map((payload): PixbookEvent => ({ type: 'CARD_TRADE_ACCEPTED', payload })),
  ];
};
