import { z } from 'zod';
import { limits } from '../limits.ts';
import {
  sha256Schema as artHash,
  batchIdSchema as batchId,
  cardIdSchema as cardId,
  codeIdSchema as codeId,
  collectionIdSchema as collectionId,
  dropIdSchema as dropId,
  identityIdSchema as identityId,
  instantSchema as instant,
  seedSchema as seed,
  seriesIdSchema as seriesId,
} from './id-schema.ts';
import { headSchema } from './resource-schema.ts';

/** What issuers make: as it is asked for, and as it is answered. */
const title = z.string().min(1).max(limits.titleChars);
const version = z.int().min(1).meta({ description: 'Versions count from 1' });

const card = z
  .strictObject({ cardId, seriesId, title, artHash })
  .meta({ id: 'Card', description: 'An entry of the catalogue; GET /v1/art/{artHash} is its picture' });

/** The catalogue as an issuer sends it, whole. */
export const catalogueBody = {
  title,
  series: z.array(z.strictObject({ seriesId, title })).min(1).max(limits.seriesPerCollection),
  cards: z.array(card).min(1).max(limits.cardsPerCollection),
};

/** The identity of `acc_operator` that signs an issuer's command. */
export const signerBody = {
  identityId: identityId.optional().meta({
    description: 'The identity of acc_operator that signs; idn_operator unless it is said',
  }),
};

export const versionSchema = version;
export const titleSchema = title;
export const packSizeSchema = z
  .int()
  .min(1)
  .max(limits.cardsPerPack)
  .meta({ description: `Cards of a pack; ${limits.defaultPackCards} unless it is said` });

const summary = { collectionId, version, title, publishedAt: instant, updatedAt: instant };

export const collectionSummarySchema = z.strictObject(summary).meta({ id: 'CollectionSummary' });

export const collectionSchema = z
  .strictObject({
    ...summary,
    series: z.array(
      z.strictObject({
        seriesId,
        title,
        retiredAt: instant.nullable().meta({ description: 'From then on its cards are in no draw' }),
      }),
    ),
    cards: z.array(card),
    head: headSchema,
  })
  .meta({ id: 'Collection', description: 'A collection with its latest catalogue' });

export const dropSchema = z
  .strictObject({
    dropId,
    collectionId,
    title,
    status: z.enum(['open', 'closed']),
    packSize: z.int().min(1),
    seedHash: artHash.meta({ description: 'SHA-256 of the seed, told before the first pack is drawn' }),
    seed: seed.nullable().meta({ description: 'Revealed when the drop is closed: draw every pack of it again' }),
    openedAt: instant,
    closedAt: instant.nullable(),
  })
  .meta({ id: 'Drop', description: 'A window in which each pixbook gets one pack, and codes are worth one' });

export const codeStatusSchema = z.enum(['open', 'claimed', 'revoked']);

export const codeSchema = z
  .strictObject({
    codeId,
    collectionId,
    dropId,
    batchId: batchId.nullable(),
    status: codeStatusSchema,
    createdAt: instant,
    claimedAt: instant.nullable(),
    revokedAt: instant.nullable(),
  })
  .meta({ id: 'Code', description: 'What is known of a printed code. The code itself is nowhere.' });

export const batchSchema = z
  .strictObject({
    batchId,
    kind: z.enum(['packs', 'codes']),
    status: z.enum(['queued', 'running', 'finished']),
    collectionId,
    dropId,
    identityId,
    total: z.int().min(1),
    done: z.int().min(0).meta({ description: 'Items that came to an end, failures included' }),
    failures: z.array(
      z.strictObject({
        item: z.string().meta({ description: 'A book id, or the number of a code' }),
        code: z.string().meta({ description: 'As of a problem' }),
        detail: z.string(),
      }),
    ),
    createdAt: instant,
    finishedAt: instant.nullable(),
    shownAt: instant.nullable().meta({ description: 'When the codes were shown' }),
  })
  .meta({ id: 'Batch' });

export const shownCodesSchema = z
  .strictObject({
    batchId,
    codes: z.array(
      z.strictObject({
        codeId,
        code: z.string().meta({ description: 'As it is printed', examples: ['ABCD-EF12-3456'] }),
      }),
    ),
  })
  .meta({ id: 'ShownCodes', description: 'The only answer that ever holds codes' });
