import type { Row, Rows } from '../../projection/rows.ts';
import type { BookId, CollectionId } from '../../receipt/ids.ts';
import { type CollectionState, noCollection } from '../../stream/collection/state.ts';
import type { Concerns } from '../../stream/pixbook/concerns.ts';
import { collectionOfRows } from '../collection-row.ts';
import { type BookSlice, sliceOfRows } from '../pixbook-row.ts';

/** States that are made of rows of several tables. */

/** What a book's concerns name, and the copies that the trades they name keep in escrow. */
export const sliceIn = (rows: Rows, book_id: BookId, concerns: Concerns): BookSlice => {
  const tradeIds: ReadonlySet<unknown> = new Set(concerns.tradeIds);
  const instanceIds: ReadonlySet<unknown> = new Set(concerns.instanceIds);
  const packIds: ReadonlySet<unknown> = new Set(concerns.packIds);
  const isNamed = (row: Row): boolean => tradeIds.has(row.trade_id);
  const ofBook = (table: Map<string, Row>): Row[] => [...table.values()].filter((row) => row.book_id === book_id);
  const [offers, reservations] = [ofBook(rows.trades), ofBook(rows.trade_reservations)];
  const open = [...offers, ...reservations].filter(({ status }) => status === 'offered' || status === 'reserved');
  return sliceOfRows({
    cards: ofBook(rows.card_instances).filter((row) => instanceIds.has(row.instance_id) || isNamed(row)),
    packs: ofBook(rows.packs).filter((row) => packIds.has(row.pack_id)),
    offers: offers.filter(isNamed),
    reservations: reservations.filter(isNamed),
    openTrades: concerns.openTrades ? open.length : null,
  });
};

export const collectionStateIn = ({ collection_versions, retired_series, drops }: Rows, id: CollectionId): CollectionState => {
  const ofCollection = (table: Map<string, Row>): Row[] => [...table.values()].filter((row) => row.collection_id === id);
  const versions = ofCollection(collection_versions).sort((a, b) => Number(a.version) - Number(b.version));
  const latest = versions.at(-1);
  if (latest === undefined) return noCollection;
  return collectionOfRows({
    latest,
    publications: versions.map(({ event_id }) => event_id),
    retired: ofCollection(retired_series),
    drops: ofCollection(drops),
  });
};
