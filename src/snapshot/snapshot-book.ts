import { Map as ImmutableMap } from 'immutable';
import { z } from 'zod';
import {
  type EventId,
  parseAccountId,
  parseBookId,
  parseCardId,
  parseCollectionId,
  parseEventId,
  parseIdentityId,
  parseInstanceId,
  parseInstant,
  parsePackId,
  parseReceiptHash,
  parseTradeId,
} from '../receipt/ids.ts';
import { type Json, type JsonObject, isJsonObject } from '../receipt/json.ts';
import { branded } from '../stream/branded.ts';
import { pixbookPayloads } from '../stream/pixbook/event.ts';
import { type LivePixbook, tradeKey } from '../stream/pixbook/state.ts';
import type { ShownBook } from './book-at.ts';

/** A book's state as a snapshot spells it: maps as lists, in the order of their keys, so that one state has one spelling. */

const hash = branded(parseReceiptHash);
const eventId = branded(parseEventId);
const instant = branded(parseInstant);
const accountId = branded(parseAccountId);
const bookId = branded(parseBookId);
const tradeId = branded(parseTradeId);
const { to, give: offered, want, expiresAt } = pixbookPayloads.CARD_TRADE_OFFERED.shape;
const { give: reserved, take } = pixbookPayloads.CARD_TRADE_RESERVED.shape;
const citation = z.strictObject({ eventId, hash });

const offer = z
  .strictObject({
    side: z.literal('offerer'),
    tradeId,
    status: z.enum(['offered', 'accepted', 'declined', 'cancelled', 'expired']),
    offerHash: hash,
    to,
    give: offered,
    want,
    expiresAt,
    end: citation.nullable(),
  })
  .refine(({ status, end }) => (status === 'offered') === (end === null));

const reservation = z.strictObject({
  side: z.literal('accepter'),
  tradeId,
  status: z.enum(['reserved', 'settled', 'released']),
  offer: z.strictObject({ accountId, bookId, hash }),
  give: reserved,
  take,
  reservation: citation,
});

const card = z.strictObject({ instanceId: branded(parseInstanceId), cardId: branded(parseCardId), escrow: tradeId.nullable() });
const pack = z.strictObject({ packId: branded(parsePackId), status: z.enum(['issued', 'opened']) });
const trade = z.discriminatedUnion('side', [offer, reservation]);

const ascending = <T>(items: readonly T[], keyOf: (item: T) => string): boolean =>
  items.every((item, i) => {
    const before = items[i - 1];
    return before === undefined || keyOf(before) < keyOf(item);
  });

export const bookForm = z.strictObject({
  status: z.enum(['open', 'closed']),
  identityId: branded(parseIdentityId),
  collectionId: branded(parseCollectionId),
  generation: z.int().min(1),
  cards: z.array(card).refine((cards) => ascending(cards, ({ instanceId }) => instanceId)),
  packs: z.array(pack).refine((packs) => ascending(packs, ({ packId }) => packId)),
  trades: z.array(trade).refine((trades) => ascending(trades, (each) => tradeKey(each.side, each.tradeId))),
});

export const shownForm = z.strictObject({
  state: z.custom<JsonObject>(isJsonObject).nullable(),
  stateEventId: eventId.nullable(),
  createdAt: instant,
  savedAt: instant.nullable(),
  closedAt: instant.nullable(),
}) satisfies z.ZodType<ShownBook>;

/** The state at `head`; how many trades are open follows from the trades. */
export const stateOfForm = (form: z.infer<typeof bookForm>, head: EventId): LivePixbook => {
  const { cards, packs, trades, ...book } = form;
  return {
    ...book,
    head,
    cards: ImmutableMap(cards.map(({ instanceId, ...held }) => [instanceId, held])),
    packs: ImmutableMap(packs.map(({ packId, ...each }) => [packId, each])),
    trades: ImmutableMap(trades.map(({ tradeId: id, ...each }) => [tradeKey(each.side, id), each])),
    openTrades: trades.filter(({ status }) => status === 'offered' || status === 'reserved').length,
  };
};

/** The reverse of `stateOfForm`; the head is said elsewhere. */
export const formOfState = (state: LivePixbook): JsonObject => {
  const { status, identityId, collectionId, generation } = state;
  return {
    ...{ status, identityId, collectionId, generation },
    cards: inOrder(state.cards).map(([instanceId, held]) => ({ instanceId, ...held })),
    packs: inOrder(state.packs).map(([packId, each]) => ({ packId, ...each })),
    trades: inOrder(state.trades).map(([key, each]): Json => ({ tradeId: key.slice(each.side.length + 1), ...each })),
  };
};

const inOrder = <K extends string, V>(map: ImmutableMap<K, V>): readonly (readonly [K, V])[] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));
