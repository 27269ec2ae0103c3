import { describe, expect, it } from 'vitest';
import { type CardId, grantInstanceIdFor, packInstanceIdFor, tradeIdOf } from '../../receipt/ids.ts';
import { noCollection } from '../collection/state.ts';
import {
  type Book,
  adds,
  after,
  bookOf,
  bookWith,
  copyOf,
  crane,
  dove,
  eagle,
  headOf,
  hereIn,
  idOf,
  issuesOf,
  judged,
  offersTo,
  outcome,
  removes,
  shelf,
  shelfOf,
} from './book.fixture.ts';
import type { PixbookCommand } from './command.ts';
import type { PixbookEvent } from './event.ts';

const book = bookWith('anna');
const ben = bookWith('ben', crane, dove);
const held = after(book, adds(crane, crane));
const offering = after(held, offersTo(ben, [idOf(held, 0)]));
const tradeId = tradeIdOf(headOf(offering).eventId);

describe('rule 3: cards an issuer grants', () => {
  it('come with a reason, several of one card too', () => {
    const { eventId } = hereIn(book);
    const cards = [crane, dove, crane].map((cardId, index) => ({ instanceId: grantInstanceIdFor(eventId, index), cardId }));
    expect(outcome(book, adds(crane, dove, crane))).toEqual({ type: 'CARD_ADDED', payload: { cards, reason: 'a gift' } });
    expect(shelf(after(book, adds(crane, dove, crane)))).toEqual(shelfOf(cards));
  });

  it('are other copies each time (rule 4)', () => {
    const granted = after(book, adds(crane), adds(crane), issuesOf(book));
    expect(Object.keys(shelf(granted))).toHaveLength(5);
  });

  it.each<[string, PixbookCommand]>([
    ['card-missing', adds(crane, 'dodo' as CardId)],
    ['collection-missing', { ...adds(crane), collection: noCollection } as PixbookCommand],
  ])('are refused with %s', (code, command) => {
    expect(outcome(book, command)).toBe(code);
  });
});

describe('rule 3: cards an issuer takes away', () => {
  it('are gone, granted or from a pack', () => {
    const packed = after(held, issuesOf(book));
    const removed = after(packed, removes(idOf(packed, 0), idOf(packed, 2)));
    expect(shelf(removed)).toEqual(shelfOf([1, 3, 4].map((n) => copyOf(packed, n))));
  });

  it.each<[string, Book, PixbookCommand]>([
    ['card-not-held', held, removes(idOf(held, 0), idOf(ben, 0))],
    ['card-not-held', after(held, removes(idOf(held, 0))), removes(idOf(held, 0))],
    ['card-in-escrow', offering, removes(idOf(held, 1), idOf(held, 0))],
    ['card-twice', held, removes(idOf(held, 0), idOf(held, 0))],
  ])('are refused with %s', (code, before, command) => {
    expect(outcome(before, command)).toBe(code);
  });
});

describe('replaying cards', () => {
  const grant = (instanceId: ReturnType<typeof idOf>, cardId = crane): PixbookEvent => ({
    type: 'CARD_ADDED',
    payload: { cards: [{ instanceId, cardId }], reason: 'a gift' },
  });
  const removal = (...instanceIds: ReturnType<typeof idOf>[]): PixbookEvent => ({
    type: 'CARD_REMOVED',
    payload: { instanceIds, reason: 'misprint' },
  });
  const id = 'an instanceId does not follow';

  it.each<[string, Book, PixbookEvent, string]>([
    ['a copy named by another grant', held, grant(idOf(ben, 0)), id],
    ['a copy named by another index', held, grant(grantInstanceIdFor(hereIn(held).eventId, 1)), id],
    ['a copy named as if from a pack', held, grant(packInstanceIdFor(issuesOf(book).packId, 0, eagle), eagle), id],
    ['a copy granted again', held, grant(idOf(held, 0)), id],
    ['a removal of what is not held', held, removal(idOf(ben, 0)), 'does not hold'],
    ['a removal twice', held, removal(idOf(held, 0), idOf(held, 0)), 'named twice'],
    ['a removal from escrow', offering, removal(idOf(held, 0)), `in escrow of ${tradeId}`],
  ])('finds %s', (_what, before, event, why) => {
    expect(judged(before, event)).toContain(why);
  });

  it('finds a copy that the book holds already, however it came there', () => {
    const { eventId } = hereIn(held);
    const { state } = held;
    if (state.status === 'absent') throw new Error('unreachable');
    const instanceId = grantInstanceIdFor(eventId, 0);
    const holding = { ...held, state: { ...state, cards: state.cards.set(instanceId, { cardId: dove, escrow: null }) } };
    expect(judged(holding, grant(instanceId))).toContain('holds one of the copies');
  });

  it('takes what is as it should be', () => {
    expect(judged(held, grant(grantInstanceIdFor(hereIn(held).eventId, 0)))).toBe('legal');
    expect(judged(offering, removal(idOf(held, 1)))).toBe('legal');
    expect(copyOf(held, 1).cardId).toBe(crane);
  });
});

it('rule 2: a copy in escrow stays held', () => {
  expect(shelf(offering)).toEqual({ ...shelf(held), ...shelfOf([copyOf(held, 0)], tradeId) });
  expect(outcome(offering, offersTo(bookOf('cleo'), [idOf(held, 0)]))).toBe('card-in-escrow');
});
