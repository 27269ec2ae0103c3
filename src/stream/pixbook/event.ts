import { z } from 'zod';
import { limits } from '../../limits.ts';
import {
  parseAccountId,
  parseBookId,
  parseCardId,
  parseCodeId,
  parseCollectionId,
  parseDropId,
  parseEventId,
  parseIdentityId,
  parseInstanceId,
  parseInstant,
  parsePackId,
  parseReceiptHash,
  parseTradeId,
} from '../../receipt/ids.ts';
import { type JsonObject, isJsonObject } from '../../receipt/json.ts';
import { branded } from '../branded.ts';

const accountId = branded(parseAccountId);
const identityId = branded(parseIdentityId);
const bookId = branded(parseBookId);
const cardId = branded(parseCardId);
const instanceId = branded(parseInstanceId);
const packId = branded(parsePackId);
const tradeId = branded(parseTradeId);
const eventId = branded(parseEventId);
const hash = branded(parseReceiptHash);
const generation = z.int().min(1);

/** One copy of a card (domain rule 4). */
const instance = z.strictObject({ instanceId, cardId });
export type Instance = z.infer<typeof instance>;

/** A receipt of another stream that this one rests on: its bytes are pinned by the hash. */
const citation = z.strictObject({ eventId, hash });
export type Citation = z.infer<typeof citation>;

const reason = z.string().min(1).max(limits.reasonChars);
const oneOrMore = <T extends z.ZodType>(element: T) => z.array(element).min(1).max(limits.cardsPerCommand);
const any = <T extends z.ZodType>(element: T) => z.array(element).max(limits.cardsPerCommand);

/** What the offerer wants back: these very copies, or one copy of each of these cards. Both empty: a gift. */
const want = z
  .strictObject({ instanceIds: any(instanceId), cardIds: any(cardId) })
  // One reservation must be able to give it all.
  .refine(({ instanceIds, cardIds }) => instanceIds.length + cardIds.length <= limits.cardsPerCommand);
export type Want = z.infer<typeof want>;

/** The book a trade is offered to. Its id follows from identity, collection and generation (domain rule 9). */
const tradePartner = z.strictObject({ accountId, identityId, bookId, generation });
export type TradePartner = z.infer<typeof tradePartner>;

/** Payloads of the pixbook stream. */
export const pixbookPayloads = {
  /** `generation` is 1 more than the closed books this identity had of the collection; the book's id follows from all three. */
  PIXBOOK_CREATED: z.strictObject({ identityId, collectionId: branded(parseCollectionId), generation }),
  /** The client's small state as it is, and the head it was based on (domain rule 1). */
  PIXBOOK_SAVE: z.strictObject({ state: z.custom<JsonObject>(isJsonObject), baseEventId: eventId }),
  PIXBOOK_CLOSED: z.strictObject({}),
  /**
   * Slot k holds `cards[k]`. `pool` is the collection's receipt the pool was read at. `claim` is the CODE_CLAIMED of a code pack,
   * null for the one pack of the drop.
   */
  PACK_ISSUED: z.strictObject({
    packId,
    dropId: branded(parseDropId),
    pool: citation,
    claim: z.strictObject({ codeId: branded(parseCodeId), eventId, hash }).nullable(),
    cards: z.array(instance).min(1).max(limits.cardsPerPack),
  }),
  PACK_OPENED: z.strictObject({ packId }),
  /** A correction or a gift by an issuer: `cards[k].instanceId` follows from this receipt's event id and k (domain rule 4). */
  CARD_ADDED: z.strictObject({ cards: oneOrMore(instance), reason }),
  CARD_REMOVED: z.strictObject({ instanceIds: oneOrMore(instanceId), reason }),
  /** In the offerer's book: `give` is in escrow from here on. */
  CARD_TRADE_OFFERED: z.strictObject({
    to: tradePartner,
    give: oneOrMore(instance),
    want,
    expiresAt: branded(parseInstant),
  }),
  /** In the accepter's book, signed by its identity: consent to give and take exactly this. `give` is in escrow from here on. */
  CARD_TRADE_RESERVED: z.strictObject({
    tradeId,
    offer: z.strictObject({ accountId, bookId, eventId, hash }),
    give: any(instance),
    take: oneOrMore(instance),
  }),
  /** In the offerer's book, signed by the accepter: the commit point. `give` leaves this book, `receive` comes to it. */
  CARD_TRADE_ACCEPTED: z.strictObject({
    tradeId,
    offerHash: hash,
    reservation: citation,
    give: oneOrMore(instanceId),
    receive: any(instance),
  }),
  /** In the accepter's book: what the acceptance decided. */
  CARD_TRADE_SETTLED: z.strictObject({ tradeId, acceptance: citation, give: any(instanceId), take: oneOrMore(instance) }),
  /** In the accepter's book: the trade ended otherwise, as the cited receipt of the offerer's book says. `instanceIds` leave escrow. */
  CARD_TRADE_RELEASED: z.strictObject({ tradeId, outcome: citation, instanceIds: any(instanceId) }),
  /** In the offerer's book, signed by the partner it was offered to; `instanceIds` leave escrow. */
  CARD_TRADE_DECLINED: z.strictObject({ tradeId, instanceIds: oneOrMore(instanceId) }),
  CARD_TRADE_CANCELLED: z.strictObject({ tradeId, instanceIds: oneOrMore(instanceId) }),
  /** Not before `expiresAt` of the offer. */
  CARD_TRADE_EXPIRED: z.strictObject({ tradeId, instanceIds: oneOrMore(instanceId) }),
} as const;

export type PixbookEventType = keyof typeof pixbookPayloads;
export type PixbookPayload<T extends PixbookEventType> = z.infer<(typeof pixbookPayloads)[T]>;

/** An event of a pixbook stream. */
export type PixbookEvent = {
  [T in PixbookEventType]: { readonly type: T; readonly payload: PixbookPayload<T> };
}[PixbookEventType];

/** An event of one type. */
export type PixbookEventOf<T extends PixbookEventType> = Extract<PixbookEvent, { readonly type: T }>;

/** Members of a payload that the server decides; what is left is what the client asked for and makes the fingerprint. */
export const pixbookDecidedMembers: { readonly [T in PixbookEventType]: readonly string[] } = {
  PIXBOOK_CREATED: ['generation'],
  PIXBOOK_SAVE: [],
  PIXBOOK_CLOSED: [],
  PACK_ISSUED: ['pool', 'cards'],
  PACK_OPENED: [],
  CARD_ADDED: [],
  CARD_REMOVED: [],
  CARD_TRADE_OFFERED: [],
  CARD_TRADE_RESERVED: ['offer', 'take'],
  CARD_TRADE_ACCEPTED: ['offerHash', 'give', 'receive'],
  CARD_TRADE_SETTLED: ['give', 'take'],
  CARD_TRADE_RELEASED: ['instanceIds'],
  CARD_TRADE_DECLINED: ['instanceIds'],
  CARD_TRADE_CANCELLED: ['instanceIds'],
  CARD_TRADE_EXPIRED: ['instanceIds'],
};

/**
 * Members of which the client asked for a part only: of copies by their id, of granted ones by their card, of a partner by its book.
 * Everything else of them follows from the state.
 */
export const pixbookAskedMembers: { readonly [T in PixbookEventType]?: { readonly [member: string]: string } } = {
  CARD_ADDED: { cards: 'cardId' },
  CARD_TRADE_OFFERED: { to: 'bookId', give: 'instanceId' },
  CARD_TRADE_RESERVED: { give: 'instanceId' },
};
