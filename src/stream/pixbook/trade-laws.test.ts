import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Instant, TradeId } from '../../receipt/ids.ts';
import { type Book, live, noon } from './book.fixture.ts';
import type { PixbookEvent } from './event.ts';
import { evolvePixbook } from './evolve.ts';
import { type PixbookState, noPixbook, offerIn } from './state.ts';
import { expires, releases, settles } from './trade.fixture.ts';
import { type Model, allows, learn, newModel, ownershipIn } from './trade-model.fixture.ts';
import { type Step, type World, accepterOf, act, actions, ask, bookIn, newWorld } from './trade-world.fixture.ts';

/** Every step of a story, checked as it happens; the world at its end. */
const follow = (story: readonly Parameters<typeof act>[1][], check: (step: Step, world: World) => void): World =>
  story.reduce((before, action) => {
    const { world, step } = act(before, action);
    if (step !== null) check(step, world);
    return world;
  }, newWorld(noon));

const sorted = <K extends string, V>(map: ReadonlyMap<K, V>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

const learnFrom = (model: Model, world: World, step: Step): void => {
  expect({ ...step, allowed: typeof step.outcome !== 'string' }).toEqual({ ...step, allowed: allows(model, world, step) });
  if (typeof step.outcome !== 'string') learn(model, world, step, step.outcome);
  expect(sorted(ownershipIn(world))).toEqual(sorted(model.copies));
};

describe('rule 8: whatever is tried on several books, and wherever it stops', () => {
  it('every copy is owned or in escrow exactly once, and a naive model agrees with every outcome', () => {
    fc.assert(
      fc.property(actions(60), (story) => {
        const model = newModel(newWorld(noon));
        const world = follow(story, (step, after) => learnFrom(model, after, step));
        const rest = finished(world, (step, after) => learnFrom(model, after, step));
        for (const { bound } of ownershipIn(rest).values()) expect(bound).toBeNull();
        for (const book of rest.books) expect(live(book).openTrades).toBe(0);
      }),
      { numRuns: 120 },
    );
  });

  it('the stories tell of everything that can happen, and of most that can be refused', () => {
    const told = new Set<string>();
    for (const story of fc.sample(actions(60), { numRuns: 100, seed: 8 }))
      follow(story, ({ outcome }) => told.add(typeof outcome === 'string' ? outcome : outcome.type));
    expect([...told].sort()).toEqual(expect.arrayContaining([...everyEvent, ...mostRefusals].sort()));
  });

  it('a replay of the receipts is the live state', () => {
    fc.assert(
      fc.property(actions(60), (story) => {
        const world = follow(story, () => undefined);
        for (const book of world.books) expect(plain(replayed(book))).toEqual(plain(book.state));
      }),
      { numRuns: 60 },
    );
  });
});

/** The world once all that follows from receipts, and from time, has been done. */
const finished = (world: World, check: (step: Step, world: World) => void): World => {
  let rest: World = { ...world, now: '2027-01-01T00:00:00.000Z' as Instant };
  const run = (...asked: Parameters<typeof ask>): void => {
    const { world: after, step } = ask(...asked);
    check(step, after);
    rest = after;
  };
  for (const trade of world.trades) {
    const { tradeId, offerer } = trade;
    const accepter = accepterOf(world, trade);
    run(rest, offerer, expires(tradeId));
    run(rest, accepter, releasesOrSettles(bookIn(rest, offerer), tradeId));
  }
  return rest;
};

const releasesOrSettles = (offered: Book, tradeId: TradeId) =>
  offerIn(live(offered), tradeId)?.status === 'accepted' ? settles(offered, tradeId) : releases(offered, tradeId);

const replayed = ({ log }: Book): PixbookState =>
  log.reduce<PixbookState>((before, { event, place }) => {
    const next = evolvePixbook(before, event, place);
    if (!next.ok) throw new Error(next.error.detail);
    return next.value;
  }, noPixbook);

const plain = (state: PixbookState) =>
  state.status === 'absent'
    ? state
    : {
        ...state,
        cards: Object.fromEntries(state.cards),
        packs: Object.fromEntries(state.packs),
        trades: Object.fromEntries(state.trades),
      };

const everyEvent: readonly PixbookEvent['type'][] = [
  'PIXBOOK_SAVE',
  'PIXBOOK_CLOSED',
  'PACK_ISSUED',
  'PACK_OPENED',
  'CARD_ADDED',
  'CARD_REMOVED',
  'CARD_TRADE_OFFERED',
  'CARD_TRADE_RESERVED',
  'CARD_TRADE_ACCEPTED',
  'CARD_TRADE_SETTLED',
  'CARD_TRADE_RELEASED',
  'CARD_TRADE_DECLINED',
  'CARD_TRADE_CANCELLED',
  'CARD_TRADE_EXPIRED',
];
const mostRefusals = [
  'pixbook-closed',
  'stale-base',
  'pack-issued',
  'pack-missing',
  'pack-opened',
  'card-not-held',
  'card-in-escrow',
  'card-twice',
  'trade-target-missing',
  'trade-with-itself',
  'trade-not-yours',
  'trade-want-mismatch',
  'trade-reserved',
  'trade-accepted',
  'trade-declined',
  'trade-cancelled',
  'trade-expired',
  'trade-not-expired',
  'trade-pending',
];
