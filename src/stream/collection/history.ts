import type { CardId, DropId, Instant, Seed } from '../../receipt/ids.ts';
import type { Place } from '../here.ts';
import { poolOf } from './draw.ts';
import type { CollectionEvent } from './event.ts';
import type { CollectionState } from './state.ts';

/** A drop as its collection's stream tells it. Positions are those of the stream. */
export type DropHistory = {
  readonly opened: number;
  readonly packSize: number;
  readonly closed: { readonly position: number; readonly at: Instant; readonly seed: Seed } | null;
};

/** What packs may be drawn from, from the receipt at a position on until the next pool begins. */
export type Pool = { readonly from: number; readonly at: Instant; readonly cards: readonly CardId[] };

/**
 * What a collection's stream says, for judging receipts that rest on it as of some position: grows with its catalogues and drops, not with
 * anything that rests on them. Mutable by `learnCollection` and `learnClosing` only.
 */
export type CollectionHistory = {
  /** By position. */
  readonly places: Place[];
  /** In order of `from`. */
  readonly pools: Pool[];
  readonly drops: Map<DropId, DropHistory>;
  readonly cards: Set<CardId>;
};

export const emptyCollectionHistory = (): CollectionHistory => ({ places: [], pools: [], drops: new Map(), cards: new Set() });

/** Takes in the next receipt of the stream, which was verified; `after` is the state it leads to. */
export const learnCollection = (
  history: CollectionHistory,
  place: Place,
  event: CollectionEvent,
  after: CollectionState,
): void => {
  const position = history.places.length;
  history.places.push(place);
  switch (event.type) {
    case 'COLLECTION_PUBLISHED':
      for (const { cardId } of event.payload.cards) history.cards.add(cardId);
      history.pools.push({ from: position, at: place.at, cards: poolOf(after) });
      return;
    case 'SERIES_RETIRED':
      history.pools.push({ from: position, at: place.at, cards: poolOf(after) });
      return;
    case 'DROP_OPENED': {
      const { dropId, packSize } = event.payload;
      history.drops.set(dropId, { opened: position, packSize, closed: null });
      return;
    }
    case 'DROP_CLOSED':
      learnClosing(history, position, place, event.payload);
  }
};

/** Takes in the closing of a drop, also where the receipts before it were not seen. Nothing for a drop that was not opened. */
export const learnClosing = (
  history: CollectionHistory,
  position: number,
  { at }: Pick<Place, 'at'>,
  { dropId, seed }: { readonly dropId: DropId; readonly seed: Seed },
): void => {
  const drop = history.drops.get(dropId);
  if (drop !== undefined) history.drops.set(dropId, { ...drop, closed: { position, at, seed } });
};

/** The pool as of a position, and the one that came next; null where there is none. */
export const poolAt = (
  { pools }: CollectionHistory,
  position: number,
): { readonly pool: Pool | null; readonly next: Pool | null } => {
  const after = pools.findIndex(({ from }) => from > position);
  const at = after < 0 ? pools.length : after;
  return { pool: pools[at - 1] ?? null, next: pools[at] ?? null };
};
