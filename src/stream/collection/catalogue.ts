import type { Card, Series } from './event.ts';

/** What a version of a collection consists of. */
export type Catalogue = { readonly series: readonly Series[]; readonly cards: readonly Card[] };

/**
 * What is wrong with a catalogue that is to follow `before` (null for the first), or null. Later versions may add and reword, but never lose
 * a card or move it: copies of it are owned, and what completes a series must not change under a collector. A series without cards is fine.
 */
export const catalogueFault = (before: Catalogue | null, { series, cards }: Catalogue): string | null => {
  const seriesIds = new Set<string>();
  for (const { seriesId } of series) {
    if (seriesIds.has(seriesId)) return `series ${seriesId} is named twice`;
    seriesIds.add(seriesId);
  }
  const seriesOf = new Map<string, string>();
  for (const { cardId, seriesId } of cards) {
    if (seriesOf.has(cardId)) return `card ${cardId} is named twice`;
    if (!seriesIds.has(seriesId)) return `card ${cardId} is of series ${seriesId}, which is not in the catalogue`;
    seriesOf.set(cardId, seriesId);
  }
  for (const { seriesId } of before?.series ?? [])
    if (!seriesIds.has(seriesId)) return `series ${seriesId} of the version before is left out`;
  for (const { cardId, seriesId } of before?.cards ?? []) {
    const now = seriesOf.get(cardId);
    if (now === undefined) return `card ${cardId} of the version before is left out`;
    if (now !== seriesId) return `card ${cardId} is moved from series ${seriesId} to ${now}`;
  }
  return null;
};
