import type { DropId } from '../../src/receipt/ids.ts';
import type { LedgerEvent } from '../../src/stream/event.ts';
import { type Book, type Collection, type Reckoning, poolOf } from './reckoning.ts';

/** Takes in a pack, which must hold as many different cards as its drop says, of those that there are to draw from now. */
export const learnPack = ({ copies }: Reckoning, book: Book, collection: Collection, dropId: DropId) => {
  const pool = poolOf(collection);
  const size = collection.drops.get(dropId)?.packSize;
  return (event: LedgerEvent): void => {
    if (event.type !== 'PACK_ISSUED') throw new Error(`${event.type} is no pack`);
    const { cards, packId, claim } = event.payload;
    const drawn = new Set(cards.map(({ cardId }) => cardId));
    if (drawn.size !== size || [...drawn].some((cardId) => !pool.includes(cardId))) throw new Error('a pack is not of its pool');
    for (const { instanceId, cardId } of cards) copies.set(instanceId, { cardId, owner: book.bookId, keptBy: null });
    book.packs.set(packId, { isOpened: false, dropId: claim === null ? dropId : null });
  };
};
