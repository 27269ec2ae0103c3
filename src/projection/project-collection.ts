import { canonicalText } from '../receipt/canonical.ts';
import type { CollectionId } from '../receipt/ids.ts';
import type { StreamOf } from '../receipt/stream.ts';
import type { CollectionEvent, CollectionPayload } from '../stream/collection/event.ts';
import type { Place } from './place.ts';
import type { RowChange } from './row-change.ts';

/** What a receipt of a collection changes. */
export const collectionChanges = (
  { collectionId: collection_id }: StreamOf<'collection'>,
  event: CollectionEvent,
  place: Place,
): readonly RowChange[] => {
  const { createdAt: at } = place;
  switch (event.type) {
    case 'COLLECTION_PUBLISHED':
      return published(collection_id, event.payload, place);
    case 'SERIES_RETIRED': {
      const row = { collection_id, series_id: event.payload.seriesId, retired_at: at };
      return [{ op: 'insert', table: 'retired_series', row }];
    }
    case 'DROP_OPENED': {
      const { dropId: drop_id, title, packSize: pack_size, seedHash: seed_hash, sealedSeed: sealed_seed } = event.payload;
      const open = { status: 'open', seed: null, opened_at: at, closed_at: null };
      return [
        { op: 'insert', table: 'drops', row: { drop_id, collection_id, title, pack_size, seed_hash, sealed_seed, ...open } },
      ];
    }
    case 'DROP_CLOSED': {
      const { dropId: drop_id, seed } = event.payload;
      return [{ op: 'update', table: 'drops', key: { drop_id }, set: { status: 'closed', seed, closed_at: at } }];
    }
  }
};

/** Versions count from 1, so the first is what makes the collection. */
const published = (
  collection_id: CollectionId,
  { version, title, series, cards }: CollectionPayload<'COLLECTION_PUBLISHED'>,
  { eventId: event_id, createdAt: at }: Place,
): readonly RowChange[] => {
  const catalogue = { series: canonicalText(series), cards: canonicalText(cards) };
  return [
    version === 1
      ? { op: 'insert', table: 'collections', row: { collection_id, version, title, published_at: at, updated_at: at } }
      : { op: 'update', table: 'collections', key: { collection_id }, set: { version, title, updated_at: at } },
    {
      op: 'insert',
      table: 'collection_versions',
      row: { collection_id, version, title, ...catalogue, event_id, published_at: at },
    },
  ];
};
