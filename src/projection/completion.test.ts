import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CardId, SeriesId } from '../receipt/ids.ts';
import { completionOf } from './completion.ts';

const card = (cardId: string, seriesId: string) => ({ cardId: cardId as CardId, seriesId: seriesId as SeriesId });
const series = (seriesId: string) => ({ seriesId: seriesId as SeriesId, title: seriesId.toUpperCase() });
const collection = {
  series: [series('forest'), series('sea')],
  cards: [card('fox', 'forest'), card('owl', 'forest'), card('eel', 'sea')],
};
const holding = (cardId: string, copies: number, inEscrow = 0) => ({ cardId: cardId as CardId, copies, inEscrow });

describe('completion', () => {
  it('of an empty book is nothing, card by card', () => {
    expect(completionOf(collection, [])).toMatchObject({ total: 3, held: 0, missing: 3, duplicates: 0, spares: 0 });
  });

  it('counts cards once however many copies there are, by series too', () => {
    expect(completionOf(collection, [holding('owl', 3), holding('eel', 1)])).toEqual({
      total: 3,
      held: 2,
      missing: 1,
      duplicates: 2,
      spares: 2,
      series: [
        { seriesId: 'forest', title: 'FOREST', total: 2, held: 1, missing: 1 },
        { seriesId: 'sea', title: 'SEA', total: 1, held: 1, missing: 0 },
      ],
      cards: [
        { ...card('fox', 'forest'), copies: 0, inEscrow: 0, duplicates: 0, spares: 0 },
        { ...card('owl', 'forest'), copies: 3, inEscrow: 0, duplicates: 2, spares: 2 },
        { ...card('eel', 'sea'), copies: 1, inEscrow: 0, duplicates: 0, spares: 0 },
      ],
    });
  });

  it.each([
    [1, 0, 0, 0],
    [1, 1, 0, 0],
    [2, 1, 1, 0],
    [3, 1, 2, 1],
    [3, 3, 2, 0],
  ])('of %i copies with %i in escrow sees %i duplicates and %i spares', (copies, inEscrow, duplicates, spares) => {
    expect(completionOf(collection, [holding('fox', copies, inEscrow)])).toMatchObject({ held: 1, duplicates, spares });
  });

  it('ignores copies of what is not in the catalogue', () => {
    expect(completionOf(collection, [holding('yeti', 2)])).toEqual(completionOf(collection, []));
  });

  it('adds up, whatever is held', () => {
    const copies = fc.nat(5).chain((all) => fc.tuple(fc.constant(all), fc.nat(all)));
    fc.assert(
      fc.property(copies, copies, copies, (fox, owl, eel) => {
        const all = [holding('fox', ...fox), holding('owl', ...owl), holding('eel', ...eel)].filter((each) => each.copies > 0);
        const { total, held, missing, duplicates, spares, series: parts } = completionOf(collection, all);
        expect(held + missing).toBe(total);
        expect(duplicates).toBe(all.reduce((sum, each) => sum + each.copies, 0) - held);
        expect(spares).toBeLessThanOrEqual(duplicates);
        for (const part of ['total', 'held', 'missing'] as const)
          expect(parts.reduce((sum, each) => sum + each[part], 0)).toBe({ total, held, missing }[part]);
      }),
    );
  });
});
