import { limits } from '../../limits.ts';
import { type Instant, type TradeId, epochMsOf } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { Here } from '../here.ts';
import type { Refusal } from '../refusal.ts';
import { bookIdOf } from './book-id.ts';
import type { TradeCommand } from './command.ts';
import { type CopyRefusal, freeCopies, hasTwice, holdsAny, idsOf } from './copies.ts';
import type { PixbookEvent } from './event.ts';
import { type EndOfOffer, openTradesOf } from './lifecycle.ts';
import { type EndRefusal, isOver, mayBeAccepted, mayEnd } from './standing.ts';
import { type LivePixbook, offerIn } from './state.ts';
import { refuse } from './verdict.ts';
import { isWanted } from './want.ts';

export type OfferRefusal =
  | Refusal<
      | 'trade-missing'
      | 'trade-target-missing' // no such open book of this collection to offer to
      | 'trade-with-itself'
      | 'trade-want-mismatch' // what is given is not what the offer wants
      | 'trade-not-expired'
      | 'trade-expiry-invalid' // too soon or too late
      | 'too-many-trades'
    >
  | CopyRefusal
  | EndRefusal;

type Decision = Result<PixbookEvent, OfferRefusal>;

/** What happens to a trade in the book it was offered from. */
export type OfferCommand = Exclude<TradeCommand, { type: 'reserve-trade' | 'settle-trade' | 'release-trade' }>;

export const decideOffer = (state: LivePixbook, command: OfferCommand, { at }: Here): Decision => {
  switch (command.type) {
    case 'offer-trade':
      return offer(state, command, at);
    case 'accept-trade':
      return accept(state, command, at);
    case 'decline-trade':
      return end(state, command.tradeId, 'CARD_TRADE_DECLINED', at);
    case 'cancel-trade':
      return end(state, command.tradeId, 'CARD_TRADE_CANCELLED', at);
    case 'expire-trade':
      return end(state, command.tradeId, 'CARD_TRADE_EXPIRED', at);
  }
};

const offer = (
  state: LivePixbook,
  { to, collectionId, give, want, expiresAt }: Extract<OfferCommand, { type: 'offer-trade' }>,
  at: Instant,
): Decision => {
  if (to === null) return refuse('trade-target-missing', 'there is no such pixbook to offer to');
  if (to.bookId === bookIdOf(state)) return refuse('trade-with-itself', 'a pixbook cannot trade with itself');
  if (collectionId !== state.collectionId) return refuse('trade-target-missing', 'that pixbook is of another collection');
  const free = freeCopies(state.cards, give);
  if (!free.ok) return free;
  if (hasTwice([...give, ...want.instanceIds])) return refuse('card-twice', 'a copy is wanted twice, or both given and wanted');
  const standsMs = epochMsOf(expiresAt) - epochMsOf(at);
  if (standsMs < limits.offerMinMs || standsMs > limits.offerMaxMs)
    return refuse('trade-expiry-invalid', `an offer stands from ${limits.offerMinMs} to ${limits.offerMaxMs} ms`);
  if (openTradesOf(state) >= limits.openTradesPerBook)
    return refuse('too-many-trades', `a pixbook has at most ${limits.openTradesPerBook} open trades`);
  return ok({ type: 'CARD_TRADE_OFFERED', payload: { to, give: [...free.value], want, expiresAt } });
};

const accept = (
  state: LivePixbook,
  { tradeId, reservation, give }: Extract<OfferCommand, { type: 'accept-trade' }>,
  at: Instant,
): Decision => {
  const offered = offerIn(state, tradeId);
  if (offered === null) return refuse('trade-missing', 'there is no such offer');
  const may = mayBeAccepted(offered, at);
  if (!may.ok) return may;
  if (!isWanted(offered.want, give)) return refuse('trade-want-mismatch', 'the copies given are not those the offer wants');
  // The offerer gave it away once, as the accepter of a trade whose settlement is still to come; it went round and is to come back.
  if (holdsAny(state.cards, give))
    return refuse(
      'card-in-escrow',
      'a copy given is still leaving the pixbook by an earlier trade; try again once that is settled',
    );
  const { offerHash } = offered;
  return ok({
    type: 'CARD_TRADE_ACCEPTED',
    payload: { tradeId, offerHash, reservation, give: idsOf(offered.give), receive: [...give] },
  });
};

/** A cancellation or refusal is welcome at any time, a late one too; an expiry only once the time is over. */
const end = (state: LivePixbook, tradeId: TradeId, type: Exclude<EndOfOffer, 'CARD_TRADE_ACCEPTED'>, at: Instant): Decision => {
  const offered = offerIn(state, tradeId);
  if (offered === null) return refuse('trade-missing', 'there is no such offer');
  const may = mayEnd(offered.status, type);
  if (!may.ok) return may;
  if (type === 'CARD_TRADE_EXPIRED' && !isOver(offered.expiresAt, at))
    return refuse('trade-not-expired', `the offer stands until ${offered.expiresAt}`);
  return ok({ type, payload: { tradeId, instanceIds: idsOf(offered.give) } });
};
