import { z } from 'zod';
import { limits } from '../limits.ts';
import { tradeStatuses } from '../port/ledger-queries.ts';
import {
  accountIdSchema as accountId,
  bookIdSchema as bookId,
  cardIdSchema as cardId,
  codeIdSchema as codeId,
  collectionIdSchema as collectionId,
  dropIdSchema as dropId,
  eventIdSchema as eventId,
  instanceIdSchema as instanceId,
  instantSchema as instant,
  packIdSchema as packId,
  seriesIdSchema as seriesId,
  tradeIdSchema as tradeId,
} from './id-schema.ts';

/** What pixbooks hold and exchange: as it is asked for, and as it is answered. */
const count = z.int().min(0);
const instance = z.strictObject({ instanceId, cardId }).meta({ id: 'Instance', description: 'One owned copy of a card' });

export const cardIdsBody = z.array(cardId).min(1).max(limits.cardsPerCommand);
export const instanceIdsBody = z.array(instanceId).min(1).max(limits.cardsPerCommand);
export const anyInstanceIdsBody = z.array(instanceId).max(limits.cardsPerCommand);
export const reasonBody = z.string().min(1).max(limits.reasonChars);

/** What an offer wants back, as it is asked for. */
export const wantBody = z.strictObject({
  instanceIds: anyInstanceIdsBody.optional().meta({ description: 'These very copies' }),
  cardIds: z.array(cardId).max(limits.cardsPerCommand).optional().meta({ description: 'Or one copy of each of these cards' }),
});

export const packStatusSchema = z.enum(['issued', 'opened']);

export const packSchema = z
  .strictObject({
    packId,
    bookId,
    dropId,
    codeId: codeId.nullable().meta({ description: 'Null for the one pack of the drop' }),
    status: packStatusSchema,
    cards: z.array(instance).meta({ description: 'By slot. They are the pixbook’s from the start: opening only reveals them' }),
    eventId,
    issuedAt: instant,
    openedAt: instant.nullable(),
  })
  .meta({ id: 'Pack' });

export const cardSchema = z
  .strictObject({
    instanceId,
    cardId,
    status: z.enum(['owned', 'escrowed', 'leaving', 'arriving']).meta({
      description:
        'escrowed: kept by an open trade; leaving: its trade is accepted, the other pixbook’s as soon as that settles; arriving: the reverse',
    }),
    tradeId: tradeId.nullable(),
    source: z.enum(['pack', 'grant', 'trade']),
    sourceId: z.string().meta({ description: 'The pack, the granting event or the trade' }),
    since: instant,
  })
  .meta({ id: 'HeldCard' });

const tally = { total: count, held: count, missing: count };
export const completionSchema = z
  .strictObject({
    bookId,
    collectionId,
    version: z.int().min(1).meta({ description: 'Of the catalogue' }),
    ...tally,
    duplicates: count.meta({ description: 'Copies beyond the first of each card' }),
    spares: count.meta({ description: 'Free copies beyond the first of each card: those in escrow are not free' }),
    series: z.array(z.strictObject({ seriesId, title: z.string(), ...tally })),
    cards: z
      .array(z.strictObject({ cardId, seriesId, copies: count, inEscrow: count, duplicates: count, spares: count }))
      .meta({ description: 'Every card of the catalogue, in its order' }),
  })
  .meta({
    id: 'Completion',
    description: 'Opened or not, what a pack holds counts. Copies that are leaving or arriving do not.',
  });

export const tradeStatusSchema = z.enum(tradeStatuses);

const book = z.strictObject({ accountId, bookId });
export const tradeSchema = z
  .strictObject({
    tradeId,
    status: tradeStatusSchema,
    from: book,
    to: book,
    give: z.array(instance),
    want: z
      .strictObject({ instanceIds: z.array(instanceId), cardIds: z.array(cardId) })
      .meta({ description: 'Both empty: a gift' }),
    receive: z.array(instance).nullable().meta({ description: 'What the partner gives, once it has accepted' }),
    offeredAt: instant,
    expiresAt: instant,
    endedAt: instant.nullable(),
    receipts: z
      .strictObject({ offer: eventId, reservation: eventId.nullable(), end: eventId.nullable() })
      .meta({ description: 'The receipts it consists of, as far as it has come' }),
  })
  .meta({ id: 'Trade' });

export const certificateSchema = z
  .custom<object>((value) => typeof value === 'object' && value !== null)
  .meta({
    id: 'Certificate',
    type: 'object',
    additionalProperties: true,
    description: 'Receipts, and the keys they are signed with: verifies offline with the trust anchor alone',
  });
