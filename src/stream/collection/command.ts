import type { DropId, Seed, SeriesId, Sha256 } from '../../receipt/ids.ts';
import type { Card, Series } from './event.ts';

/** What may be asked of a collection. Seeds come from chance, sealed by the sealer, before the decision. */
export type CollectionCommand =
  | {
      readonly type: 'publish';
      readonly version: number;
      readonly title: string;
      readonly series: readonly Series[];
      readonly cards: readonly Card[];
    }
  | { readonly type: 'retire-series'; readonly seriesId: SeriesId }
  | {
      readonly type: 'open-drop';
      readonly dropId: DropId;
      readonly title: string;
      readonly packSize: number;
      readonly seedHash: Sha256;
      readonly sealedSeed: string;
    }
  /** `seed` as the sealer unsealed it; empty text when there is no such drop. */
  | { readonly type: 'close-drop'; readonly dropId: DropId; readonly seed: Seed | '' };
