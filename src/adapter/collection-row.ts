import { type DropId, parseDropId, parseEventId, parseSeed, parseSeriesId, parseSha256 } from '../receipt/ids.ts';
import { collectionPayloads } from '../stream/collection/event.ts';
import type { CollectionState, Drop } from '../stream/collection/state.ts';
import {
  MalformedRow,
  type RawRow,
  stored,
  storedCount,
  storedJson,
  storedOrNull,
  storedText,
  storedWord,
} from './stored-column.ts';

/** Rows of a collection → its state. Columns are named as in schema.sql. All throw `MalformedRow`. */

export type CollectionRows = {
  /** The row of `collection_versions` of the latest version. */
  readonly latest: RawRow;
  /** `event_id` of every row of `collection_versions`, in order of version. */
  readonly publications: readonly unknown[];
  /** Rows of `retired_series`. */
  readonly retired: readonly RawRow[];
  /** Rows of `drops`. */
  readonly drops: readonly RawRow[];
};

/** A published collection; what is absent has no rows. */
export const collectionOfRows = ({ latest, publications, retired, drops }: CollectionRows): CollectionState => {
  const version = storedCount('collection_versions.version', latest.version);
  if (publications.length !== version) throw new MalformedRow('collection_versions.version');
  return {
    status: 'published',
    version,
    title: storedText('collection_versions.title', latest.title),
    ...catalogueOfRow(latest),
    retired: new Set(retired.map((row) => stored('retired_series.series_id', parseSeriesId, row.series_id))),
    drops: new Map(drops.map(dropOfRow)),
    publications: publications.map((eventId) => stored('collection_versions.event_id', parseEventId, eventId)),
  };
};

const { series, cards } = collectionPayloads.COLLECTION_PUBLISHED.shape;

/** From a row of `collection_versions`: series and cards. */
export const catalogueOfRow = (row: RawRow): Pick<Extract<CollectionState, { status: 'published' }>, 'series' | 'cards'> => ({
  series: storedJson('collection_versions.series', series, row.series),
  cards: storedJson('collection_versions.cards', cards, row.cards),
});

/** From a row of `drops`. */
export const dropOfRow = (row: RawRow): [DropId, Drop] => [
  stored('drops.drop_id', parseDropId, row.drop_id),
  {
    status: storedWord('drops.status', ['open', 'closed'], row.status),
    packSize: storedCount('drops.pack_size', row.pack_size),
    seedHash: stored('drops.seed_hash', parseSha256, row.seed_hash),
    sealedSeed: storedText('drops.sealed_seed', row.sealed_seed),
    seed: storedOrNull('drops.seed', parseSeed, row.seed),
  },
];
