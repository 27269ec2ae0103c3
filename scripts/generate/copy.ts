import { type CardId, type InstanceId, parseCardId, parseInstanceId } from '../../src/receipt/ids.ts';
import { valid } from './asking.ts';
import type { Neighbourhood, OpenBook } from './neighbourhood.ts';

export type Copy = { readonly instanceId: InstanceId; readonly cardId: CardId };

/** The copies of a book that are not in escrow, those that it has had longest first. */
export const freeCopies = ({ rows }: Neighbourhood, { bookId }: OpenBook): readonly Copy[] =>
  [...rows.card_instances.values()]
    .filter((row) => row.book_id === bookId && row.trade_id === null)
    .map((row) => ({ instanceId: valid(parseInstanceId(row.instance_id)), cardId: valid(parseCardId(row.card_id)) }));
