import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { CodeResource, CollectionResource, CollectionSummary, DropResource } from '../../port/ledger-queries.ts';
import type { DB } from '../../projection/tables.generated.ts';
import { parseCodeId, parseCollectionId, parseDropId, parseInstant, parseSeed, parseSha256 } from '../../receipt/ids.ts';
import { catalogueOfRow } from '../collection-row.ts';
import { stored, storedCount, storedInstant, storedJson, storedOrNull, storedText, storedWord } from '../stored-column.ts';
import { type WithHead, headIn } from './resources.ts';

/** Rows of collections and codes → resources of the port. All throw `MalformedRow`. */

export const summaryOf = (row: Selectable<DB['collections']>): CollectionSummary => ({
  collectionId: stored('collections.collection_id', parseCollectionId, row.collection_id),
  version: storedCount('collections.version', row.version),
  title: storedText('collections.title', row.title),
  publishedAt: storedInstant('collections.published_at', row.published_at),
  updatedAt: storedInstant('collections.updated_at', row.updated_at),
});

type WithCatalogue = Pick<Selectable<DB['collection_versions']>, 'series' | 'cards'> & {
  /** JSON: when each retired series was retired, by its id; null for none. */
  readonly retired: string | null;
};

const instantsById = z.record(z.string(), z.string());

export const collectionOf = (row: Selectable<DB['collections']> & WithCatalogue & WithHead): CollectionResource => {
  const { series, cards } = catalogueOfRow(row);
  const retired = row.retired === null ? {} : storedJson('retired_series', instantsById, row.retired);
  const retiredAt = new Map(Object.entries(retired));
  return {
    ...summaryOf(row),
    series: series.map(({ seriesId, title }) => ({
      seriesId,
      title,
      retiredAt: storedOrNull('retired_series.retired_at', parseInstant, retiredAt.get(seriesId) ?? null),
    })),
    cards,
    head: headIn(row),
  };
};

export const dropOf = (row: Selectable<DB['drops']>): DropResource => ({
  dropId: stored('drops.drop_id', parseDropId, row.drop_id),
  collectionId: stored('drops.collection_id', parseCollectionId, row.collection_id),
  title: storedText('drops.title', row.title),
  status: storedWord('drops.status', ['open', 'closed'], row.status),
  packSize: storedCount('drops.pack_size', row.pack_size),
  seedHash: stored('drops.seed_hash', parseSha256, row.seed_hash),
  seed: storedOrNull('drops.seed', parseSeed, row.seed),
  openedAt: storedInstant('drops.opened_at', row.opened_at),
  closedAt: storedOrNull('drops.closed_at', parseInstant, row.closed_at),
});

export const codeOf = (row: Selectable<DB['codes']>): CodeResource => ({
  codeId: stored('codes.code_id', parseCodeId, row.code_id),
  collectionId: stored('codes.collection_id', parseCollectionId, row.collection_id),
  dropId: stored('codes.drop_id', parseDropId, row.drop_id),
  batchId: row.batch_id,
  status: storedWord('codes.status', ['open', 'claimed', 'revoked'], row.status),
  createdAt: storedInstant('codes.created_at', row.created_at),
  claimedAt: storedOrNull('codes.claimed_at', parseInstant, row.claimed_at),
  revokedAt: storedOrNull('codes.revoked_at', parseInstant, row.revoked_at),
});
