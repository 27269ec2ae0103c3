import type { DropId, EventId, Seed, SeriesId, Sha256 } from '../../receipt/ids.ts';
import type { Card, Series } from './event.ts';

/** An issuance window of the collection. */
export type Drop = {
  readonly status: 'open' | 'closed';
  readonly packSize: number;
  readonly seedHash: Sha256;
  readonly sealedSeed: string;
  /** Null until the drop is closed. */
  readonly seed: Seed | null;
};

/** What the rules of a collection need to know of it: its latest catalogue, what has been retired, and every drop. */
export type CollectionState =
  | { readonly status: 'absent' }
  | {
      readonly status: 'published';
      readonly version: number;
      readonly title: string;
      readonly series: readonly Series[];
      readonly cards: readonly Card[];
      readonly retired: ReadonlySet<SeriesId>;
      readonly drops: ReadonlyMap<DropId, Drop>;
      /** The receipt each version was published with: versions count from 1, so version n is at n − 1. */
      readonly publications: readonly EventId[];
    };

export const noCollection: CollectionState = { status: 'absent' };
