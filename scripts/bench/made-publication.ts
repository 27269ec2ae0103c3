import { createHash } from 'node:crypto';
import type { Catalogue } from '../../src/command/ledger-commands.ts';
import { type CardId, type SeriesId, type Sha256, parseCardId, parseSeriesId, parseSha256 } from '../../src/receipt/ids.ts';
import type { Result } from '../../src/result.ts';

/** Art of a card, and the name it has in the store. */
export type Art = { readonly artHash: Sha256; readonly bytes: Uint8Array };

const valid = <T>(parsed: Result<T, unknown>): T => {
  if (!parsed.ok) throw new TypeError('a made-up name is malformed');
  return parsed.value;
};

const CARDS_PER_SERIES = 10;

/** A catalogue of this many cards, ten to a series, with art of a few bytes each: for measuring. */
export const publicationOfCards = (count: number): { readonly catalogue: Catalogue; readonly art: readonly Art[] } => {
  const seriesOf = (i: number): SeriesId => valid(parseSeriesId(`series-${Math.floor(i / CARDS_PER_SERIES) + 1}`));
  const made = Array.from({ length: count }, (_, i) => {
    const bytes = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><title>${i + 1}</title></svg>`);
    const artHash = valid(parseSha256(`sha256:${createHash('sha256').update(bytes).digest('hex')}`));
    const cardId: CardId = valid(parseCardId(`card-${String(i + 1).padStart(3, '0')}`));
    return { bytes, card: { cardId, seriesId: seriesOf(i), title: `Card ${i + 1}`, artHash } };
  });
  const series = [...new Set(made.map(({ card }) => card.seriesId))].map((seriesId) => ({ seriesId, title: seriesId }));
  return {
    catalogue: { version: 1, title: 'Made for measuring', series, cards: made.map(({ card }) => card) },
    art: made.map(({ bytes, card }) => ({ artHash: card.artHash, bytes })),
  };
};
