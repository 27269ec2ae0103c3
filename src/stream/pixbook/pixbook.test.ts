import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import type { EventId } from '../../receipt/ids.ts';
import {
  type Book,
  adds,
  after,
  birds,
  bookOf,
  bookWith,
  cited,
  closedDrop,
  closes,
  crane,
  creates,
  foreignTrade,
  headOf,
  idOf,
  issuesByCode,
  issuesOf,
  judged,
  offersTo,
  openDrop,
  outcome,
  removes,
} from './book.fixture.ts';
import type { PixbookCommand } from './command.ts';
import type { PixbookEvent } from './event.ts';

const empty = bookOf('anna');
const { identityId } = empty.owner;
const book = after(empty, creates(empty));
const saves = (base: Book | EventId, state = {}): PixbookCommand => ({
  type: 'save',
  state,
  baseEventId: typeof base === 'string' ? base : headOf(base).eventId,
});
const tradeId = foreignTrade;
const elsewhere = cited('elsewhere');

/** One of each command that is about a book there is. */
const commands: readonly PixbookCommand[] = [
  saves(book),
  closes,
  issuesOf(empty, openDrop),
  issuesByCode('a'),
  { type: 'open-pack', packId: issuesOf(empty, closedDrop).packId },
  adds(crane),
  removes(idOf(bookWith('ben', crane), 0)),
  offersTo(bookOf('ben'), []),
  { type: 'reserve-trade', tradeId, offer: null, give: [] },
  { type: 'accept-trade', tradeId, reservation: elsewhere, give: [] },
  { type: 'settle-trade', tradeId, acceptance: elsewhere },
  { type: 'release-trade', tradeId, outcome: elsewhere },
  { type: 'decline-trade', tradeId },
  { type: 'cancel-trade', tradeId },
  { type: 'expire-trade', tradeId },
];

describe('rule 1: a save', () => {
  it('stores the client’s state as it is, with the head it was based on', () => {
    const state = { page: 3, placements: [{ slot: 1, note: 'ü' }] };
    expect(outcome(book, saves(book, state))).toEqual({
      type: 'PIXBOOK_SAVE',
      payload: { state, baseEventId: headOf(book).eventId },
    });
  });

  it('is refused on a stale base, whoever moved the book on', () => {
    const saved = after(book, saves(book));
    const granted = after(saved, adds(crane));
    expect(outcome(saved, saves(book))).toBe('stale-base');
    expect(outcome(granted, saves(saved))).toBe('stale-base');
    expect(outcome(book, saves(elsewhere.eventId))).toBe('stale-base');
    expect(outcome(granted, saves(granted))).toMatchObject({ type: 'PIXBOOK_SAVE' });
  });

  it('is refused over 32 KiB, measured as canonical bytes', () => {
    const fits = { text: 'x'.repeat(limits.savedStateBytes - '{"text":""}'.length) };
    expect(outcome(book, saves(book, fits))).toMatchObject({ type: 'PIXBOOK_SAVE' });
    expect(outcome(book, saves(book, { text: `${fits.text}x` }))).toBe('state-too-large');
    expect(outcome(book, saves(book, { text: 'ü'.repeat(limits.savedStateBytes / 2) }))).toBe('state-too-large');
  });
});

describe('rule 9: a pixbook', () => {
  it('is created once, for its identity, collection and generation', () => {
    expect(outcome(empty, creates(empty))).toEqual({
      type: 'PIXBOOK_CREATED',
      payload: { identityId, collectionId: birds, generation: 1 },
    });
    expect(outcome(book, creates(empty))).toBe('pixbook-exists');
    expect(outcome(after(book, closes), creates(empty))).toBe('pixbook-exists');
  });

  it('has a limit of generations', () => {
    const tooMany = bookOf('anna', birds, limits.pixbookGenerations + 1);
    expect(outcome(tooMany, creates(tooMany))).toBe('too-many-pixbooks');
  });
});

describe('rule 10: a pixbook', () => {
  it.each(commands)('refuses $type before it exists and after it is closed', (command) => {
    expect(outcome(empty, command)).toBe('pixbook-missing');
    expect(outcome(after(book, closes), command)).toBe('pixbook-closed');
  });

  it('cannot be closed while it has open trades', () => {
    const holder = after(bookWith('anna', crane), closes);
    expect(holder.state.status).toBe('closed');
    const offering = after(bookWith('anna', crane), offersTo(bookOf('ben'), [idOf(bookWith('anna', crane), 0)]));
    expect(outcome(offering, closes)).toBe('trade-pending');
  });

  it('is not closed on a guess at how many trades it has', () => {
    const unasked = { ...book, state: { ...book.state, openTrades: null } };
    expect(() => outcome(unasked, closes)).toThrow('not looked up');
    expect(() => judged(unasked, { type: 'PIXBOOK_CLOSED', payload: {} })).toThrow('not looked up');
  });
});

describe('replaying a pixbook', () => {
  const saved: PixbookEvent = { type: 'PIXBOOK_SAVE', payload: { state: {}, baseEventId: elsewhere.eventId } };
  const created: PixbookEvent = { type: 'PIXBOOK_CREATED', payload: { identityId, collectionId: birds, generation: 1 } };
  const closed: PixbookEvent = { type: 'PIXBOOK_CLOSED', payload: {} };
  const offering = after(bookWith('anna', crane), offersTo(bookOf('ben'), [idOf(bookWith('anna', crane), 0)]));

  it.each<[string, Book, PixbookEvent, string]>([
    ['a save before the book', empty, saved, 'the pixbook is absent'],
    ['a save on another base', book, saved, 'it is not based on the receipt before it'],
    ['a second book', book, created, 'the pixbook exists'],
    ['a new book after the close', after(book, closes), created, 'the pixbook exists'],
    ['a close after the close', after(book, closes), closed, 'the pixbook is closed'],
    [
      'a pack after the close',
      after(book, closes),
      { type: 'PACK_OPENED', payload: { packId: issuesOf(book).packId } },
      'closed',
    ],
    ['a close over an open trade', offering, closed, 'the pixbook has open trades'],
  ])('finds %s', (_what, before, event, why) => {
    expect(judged(before, event)).toContain(why);
  });
});
