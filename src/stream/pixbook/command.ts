import type {
  CardId,
  CodeId,
  CollectionId,
  DropId,
  EventId,
  IdentityId,
  InstanceId,
  Instant,
  PackId,
  ReceiptHash,
  TradeId,
} from '../../receipt/ids.ts';
import type { JsonObject } from '../../receipt/json.ts';
import type { CollectionState } from '../collection/state.ts';
import type { Citation, Instance, TradePartner, Want } from './event.ts';
import type { BookTrade } from './state.ts';

/** What may be asked of a pixbook. */
export type PixbookCommand =
  | {
      readonly type: 'create-pixbook';
      readonly identityId: IdentityId;
      readonly collectionId: CollectionId;
      readonly generation: number;
    }
  | { readonly type: 'save'; readonly state: JsonObject; readonly baseEventId: EventId }
  | { readonly type: 'close' }
  | PackCommand
  | CardCommand
  | TradeCommand;

export type PackCommand =
  /** `cards` were drawn for this pack from `collection` as of `pool`; null when there was nothing to draw from. */
  | {
      readonly type: 'issue-pack';
      readonly packId: PackId;
      readonly dropId: DropId;
      readonly claim: { readonly codeId: CodeId; readonly eventId: EventId; readonly hash: ReceiptHash } | null;
      readonly collection: CollectionState;
      readonly pool: Citation | null;
      readonly cards: readonly CardId[] | null;
    }
  | { readonly type: 'open-pack'; readonly packId: PackId };

export type CardCommand =
  /** `collection` tells which cards there are. */
  | {
      readonly type: 'add-cards';
      readonly cardIds: readonly CardId[];
      readonly reason: string;
      readonly collection: CollectionState;
    }
  | { readonly type: 'remove-cards'; readonly instanceIds: readonly InstanceId[]; readonly reason: string };

export type TradeCommand =
  /** `to` is null when there is no such book; `collectionId` is that book's. */
  | {
      readonly type: 'offer-trade';
      readonly to: TradePartner | null;
      readonly collectionId: CollectionId | null;
      readonly give: readonly InstanceId[];
      readonly want: Want;
      readonly expiresAt: Instant;
    }
  /** In the accepter's book. `offer` is the trade as the offerer's book has it, and where that is; null when there is none. */
  | {
      readonly type: 'reserve-trade';
      readonly tradeId: TradeId;
      readonly offer: OfferSeen | null;
      /** The accepter's copies of the cards the offer wants; those it names come by themselves. */
      readonly give: readonly InstanceId[];
    }
  /** In the offerer's book. `give` is what the reservation gives. */
  | {
      readonly type: 'accept-trade';
      readonly tradeId: TradeId;
      readonly reservation: Citation;
      readonly give: readonly Instance[];
    }
  | { readonly type: 'settle-trade'; readonly tradeId: TradeId; readonly acceptance: Citation }
  | { readonly type: 'release-trade'; readonly tradeId: TradeId; readonly outcome: Citation }
  | { readonly type: 'decline-trade'; readonly tradeId: TradeId }
  | { readonly type: 'cancel-trade'; readonly tradeId: TradeId }
  | { readonly type: 'expire-trade'; readonly tradeId: TradeId };

/** An offer, as whoever looks into the offerer's book sees it. */
export type OfferSeen = { readonly accountId: TradePartner['accountId']; readonly bookId: TradePartner['bookId'] } & Extract<
  BookTrade,
  { side: 'offerer' }
>;
