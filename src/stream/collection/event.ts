import { z } from 'zod';
import { limits } from '../../limits.ts';
import { parseCardId, parseDropId, parseSeed, parseSeriesId, parseSha256 } from '../../receipt/ids.ts';
import { branded } from '../branded.ts';

const title = z.string().min(1).max(limits.titleChars);
const dropId = branded(parseDropId);
const seriesId = branded(parseSeriesId);

/** A card of the catalogue; `artHash` is SHA-256 of its art, which lies in the store under that name. */
const card = z.strictObject({ cardId: branded(parseCardId), seriesId, title, artHash: branded(parseSha256) });
export type Card = z.infer<typeof card>;

const series = z.strictObject({ seriesId, title });
export type Series = z.infer<typeof series>;

/** Payloads of the collection stream. */
export const collectionPayloads = {
  /** A version of the catalogue, whole: versions count from 1, and later ones never lose a card. */
  COLLECTION_PUBLISHED: z.strictObject({
    version: z.int().min(1),
    title,
    series: z.array(series).min(1).max(limits.seriesPerCollection),
    cards: z.array(card).min(1).max(limits.cardsPerCollection),
  }),
  /** Cards of the series are in no later draw. */
  SERIES_RETIRED: z.strictObject({ seriesId }),
  /** `seedHash` commits to the 32 bytes of the seed; `sealedSeed` is the seed as the sealer sealed it (domain rule 6). */
  DROP_OPENED: z.strictObject({
    dropId,
    title,
    packSize: z.int().min(1).max(limits.cardsPerPack),
    seedHash: branded(parseSha256),
    sealedSeed: z.string().min(1).max(limits.sealedSeedChars),
  }),
  /** Reveals the seed, so that everyone can draw the packs of the drop again. */
  DROP_CLOSED: z.strictObject({ dropId, seed: branded(parseSeed) }),
} as const;

export type CollectionEventType = keyof typeof collectionPayloads;
export type CollectionPayload<T extends CollectionEventType> = z.infer<(typeof collectionPayloads)[T]>;

/** An event of a collection stream. */
export type CollectionEvent = {
  [T in CollectionEventType]: { readonly type: T; readonly payload: CollectionPayload<T> };
}[CollectionEventType];

/** Members of a payload that the server decides; what is left is what the client asked for and makes the fingerprint. */
export const collectionDecidedMembers: { readonly [T in CollectionEventType]: readonly string[] } = {
  COLLECTION_PUBLISHED: [],
  SERIES_RETIRED: [],
  DROP_OPENED: ['seedHash', 'sealedSeed'],
  DROP_CLOSED: ['seed'],
};
