import type { CardId, SeriesId } from '../receipt/ids.ts';

/** What there is to collect, in the catalogue's order. */
type Collectable = {
  readonly series: readonly { readonly seriesId: SeriesId; readonly title: string }[];
  readonly cards: readonly { readonly cardId: CardId; readonly seriesId: SeriesId }[];
};

/** How many copies of a card a book owns, those in escrow included, and how many of them are. */
type Held = { readonly cardId: CardId; readonly copies: number; readonly inEscrow: number };

/** Cards, not copies. */
type Tally = { readonly total: number; readonly held: number; readonly missing: number };

/** `duplicates` are copies beyond the first; `spares` free copies beyond the first, for what is in escrow may be gone tomorrow. */
export type CardCompletion = {
  readonly cardId: CardId;
  readonly seriesId: SeriesId;
  readonly copies: number;
  readonly inEscrow: number;
  readonly duplicates: number;
  readonly spares: number;
};

export type Completion = Tally & {
  readonly duplicates: number;
  readonly spares: number;
  readonly series: readonly (Tally & { readonly seriesId: SeriesId; readonly title: string })[];
  readonly cards: readonly CardCompletion[];
};

/** How far a book has come with a collection. Copies of cards that are not in the catalogue count for nothing. */
export const completionOf = ({ series, cards }: Collectable, holdings: readonly Held[]): Completion => {
  const held = new Map(holdings.map((holding) => [holding.cardId, holding]));
  const each = cards.map(({ cardId, seriesId }): CardCompletion => {
    const { copies = 0, inEscrow = 0 } = held.get(cardId) ?? {};
    const duplicates = Math.max(0, copies - 1);
    return { cardId, seriesId, copies, inEscrow, duplicates, spares: Math.max(0, copies - inEscrow - 1) };
  });
  return {
    ...tallyOf(each),
    duplicates: sumOf(each, ({ duplicates }) => duplicates),
    spares: sumOf(each, ({ spares }) => spares),
    series: series.map(({ seriesId, title }) => ({
      seriesId,
      title,
      ...tallyOf(each.filter((card) => card.seriesId === seriesId)),
    })),
    cards: each,
  };
};

const tallyOf = (cards: readonly CardCompletion[]): Tally => {
  const held = cards.filter(({ copies }) => copies > 0).length;
  return { total: cards.length, held, missing: cards.length - held };
};

const sumOf = (cards: readonly CardCompletion[], count: (card: CardCompletion) => number): number =>
  cards.reduce((sum, card) => sum + count(card), 0);
