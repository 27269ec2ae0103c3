import { describe, expect, it } from 'vitest';
import { codePackIdFor, dropPackIdFor, grantInstanceIdFor, packInstanceIdFor } from '../../receipt/ids.ts';
import { noCollection } from '../collection/state.ts';
import {
  type Book,
  after,
  bookOf,
  bookWith,
  cited,
  closedDrop,
  codeIdOf,
  copyOf,
  crane,
  creates,
  dove,
  dropIdOf,
  eagle,
  finch,
  hereIn,
  idOf,
  issuesByCode,
  issuesOf,
  judged,
  live,
  offersTo,
  openDrop,
  otherDrop,
  outcome,
  removes,
  shelf,
  shelfOf,
} from './book.fixture.ts';
import type { PixbookCommand } from './command.ts';
import type { PixbookEvent, PixbookEventOf } from './event.ts';

const book = bookWith('anna');
const { bookId } = book.owner;
const packId = dropPackIdFor(openDrop, bookId);
const issue = issuesOf(book);
const packed = after(book, issue);
const opens: PixbookCommand = { type: 'open-pack', packId };

describe('rule 2: ownership', () => {
  it('comes with the pack, opened or not: opening changes nothing but the pack', () => {
    const opened = after(packed, opens);
    expect(shelf(packed)).toEqual(shelfOf([0, 1, 2].map((n) => copyOf(packed, n))));
    expect([0, 1, 2].map((n) => copyOf(packed, n).cardId)).toEqual([crane, dove, eagle]);
    expect(shelf(opened)).toEqual(shelf(packed));
    expect(live(opened)).toEqual({
      ...live(packed),
      head: expect.any(String),
      packs: live(packed).packs.set(packId, { status: 'opened' }),
    });
  });

  it('gives the right to trade and to be corrected before the pack is opened', () => {
    expect(outcome(packed, offersTo(bookOf('ben'), [idOf(packed, 0)]))).toMatchObject({ type: 'CARD_TRADE_OFFERED' });
    expect(outcome(packed, removes(idOf(packed, 0)))).toMatchObject({ type: 'CARD_REMOVED' });
  });

  it('is not asked for when a pack is opened: its cards may have gone long before', () => {
    const emptied = after(packed, removes(idOf(packed, 0), idOf(packed, 1), idOf(packed, 2)));
    expect(outcome(emptied, opens)).toEqual({ type: 'PACK_OPENED', payload: { packId } });
  });
});

describe('rule 4: the copies of a pack', () => {
  it('are named by pack, slot and card', () => {
    expect(outcome(book, issue)).toEqual({
      type: 'PACK_ISSUED',
      payload: {
        packId,
        dropId: openDrop,
        pool: cited('pool'),
        claim: null,
        cards: [crane, dove, eagle].map((cardId, slot) => ({ instanceId: packInstanceIdFor(packId, slot, cardId), cardId })),
      },
    });
  });
});

describe('rule 5: a pack', () => {
  it('is issued once for each pixbook and drop', () => {
    expect(outcome(packed, issue)).toBe('pack-issued');
    expect(outcome(after(packed, opens), issue)).toBe('pack-issued');
    expect(outcome(packed, issuesOf(book, otherDrop))).toMatchObject({ type: 'PACK_ISSUED' });
    const ben = bookWith('ben');
    expect(outcome(ben, issuesOf(ben))).toMatchObject({ type: 'PACK_ISSUED' });
  });

  it('is issued once for each code, beside the pack of the drop and those of other codes', () => {
    const coded = after(packed, issuesByCode('one'));
    expect(outcome(coded, issuesByCode('one'))).toBe('pack-issued');
    expect(outcome(coded, issuesByCode('two'))).toMatchObject({
      payload: { packId: codePackIdFor(codeIdOf('two')), claim: { codeId: codeIdOf('two') } },
    });
  });

  it('of a code comes although the drop was closed since: the claim came first', () => {
    expect(outcome(book, issuesByCode('one', closedDrop))).toMatchObject({ type: 'PACK_ISSUED' });
  });

  it.each<[string, PixbookCommand]>([
    ['drop-closed', issuesOf(book, closedDrop)],
    ['drop-missing', issuesOf(book, dropIdOf('nowhere'))],
    ['drop-missing', issuesByCode('one', dropIdOf('nowhere'))],
    ['collection-missing', { ...issue, collection: noCollection, pool: null, cards: null }],
    // Rule 7: retired series leave the pool.
    ['pool-too-small', { ...issue, cards: null }],
    ['pool-too-small', { ...issue, pool: null, cards: null }],
  ])('is refused with %s', (code, command) => {
    expect(outcome(book, command)).toBe(code);
  });

  it('that the book has is said to be there, whatever became of its drop since', () => {
    expect(outcome(packed, { ...issue, collection: noCollection, cards: null })).toBe('pack-issued');
  });

  it('is opened once, and only where it is', () => {
    expect(outcome(book, opens)).toBe('pack-missing');
    expect(outcome(packed, opens)).toEqual({ type: 'PACK_OPENED', payload: { packId } });
    expect(outcome(after(packed, opens), opens)).toBe('pack-opened');
  });

  it.each<[string, PixbookCommand]>([
    ['another book’s', { ...issue, packId: dropPackIdFor(openDrop, bookOf('ben').owner.bookId) }],
    ['another code’s', { ...issuesByCode('one'), packId: codePackIdFor(codeIdOf('two')) }],
    ['the drop’s, for a code', { ...issuesByCode('one'), packId }],
  ])('is never decided under %s id: that is a bug of who asks', (_whose, command) => {
    expect(() => outcome(book, command)).toThrow('the pack’s id does not follow');
  });
});

describe('replaying packs', () => {
  const eventOf = (from: Book, command: PixbookCommand) => outcome(from, command) as PixbookEventOf<'PACK_ISSUED'>;
  const issued = eventOf(book, issue);
  const coded = eventOf(book, issuesByCode('one'));
  const forged = (change: Partial<typeof issued.payload>, from = issued): PixbookEvent => ({
    type: 'PACK_ISSUED',
    payload: { ...from.payload, ...change },
  });
  const filled = (...cards: (typeof crane)[]) =>
    cards.map((cardId, slot) => ({ instanceId: packInstanceIdFor(packId, slot, cardId), cardId }));
  const id = 'packId does not follow';
  const copyId = 'an instanceId does not follow';

  it.each<[string, Book, PixbookEvent, string]>([
    ['a second pack of a drop', packed, forged({ cards: filled(finch) }), 'the pack is issued'],
    ['a second pack of an opened one', after(packed, opens), issued, 'the pack is opened'],
    ['a pack of a drop under another drop’s id', book, forged({ dropId: otherDrop }), id],
    ['a pack of a drop under a code’s id', book, forged({ packId: coded.payload.packId }), id],
    ['a pack of another book', bookWith('ben'), issued, id],
    ['a pack of a drop that claims a code', book, forged({ claim: coded.payload.claim }), id],
    ['a pack of a code under its drop’s id', book, forged({ claim: null }, coded), id],
    ['a copy in another slot', book, forged({ cards: filled(crane, dove).reverse() }), copyId],
    ['a copy of another card', book, forged({ cards: [{ instanceId: copyOf(packed, 0).instanceId, cardId: eagle }] }), copyId],
    [
      'a copy of a grant',
      book,
      forged({ cards: [{ instanceId: grantInstanceIdFor(hereIn(book).eventId, 0), cardId: crane }] }),
      copyId,
    ],
    ['a card twice', book, forged({ cards: filled(crane, crane) }), 'without replacement'],
    ['an opening of no pack', book, { type: 'PACK_OPENED', payload: { packId } }, 'there is no such pack'],
    ['a second opening', after(packed, opens), { type: 'PACK_OPENED', payload: { packId } }, 'the pack is opened'],
  ])('finds %s', (_what, before, event, why) => {
    expect(judged(before, event)).toContain(why);
  });

  it('finds a copy that the book holds already, however it came there', () => {
    const holding = { ...book, state: { ...live(book), cards: live(packed).cards } };
    expect(judged(holding, issued)).toContain('holds one of its copies');
  });

  it('takes a pack that is as it should be', () => {
    expect(judged(book, issued)).toBe('legal');
    expect(judged(book, coded)).toBe('legal');
    const again = bookOf('anna', book.collectionId, 2);
    expect(judged(after(again, creates(again)), coded)).toBe('legal');
  });
});
