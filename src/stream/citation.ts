import type { EventId, ReceiptHash } from '../receipt/ids.ts';
import { eventIdAt, positionOf } from '../receipt/key-path.ts';
import { type Stream, type StreamOf, codeStream, pixbookStream } from '../receipt/stream.ts';
import { type DomainFault, domainFault } from './domain-fault.ts';
import type { LedgerEvent } from './event.ts';
import type { Place } from './here.ts';
import { sameCopies } from './pixbook/copies.ts';
import type { PixbookEvent, PixbookEventOf } from './pixbook/event.ts';
import { type LivePixbook, offerIn, reservationIn } from './pixbook/state.ts';
import { isWanted } from './pixbook/want.ts';

/*
 * Which receipts of other streams a pixbook's receipt rests on, and whether they say what they must. One stream alone cannot tell; both
 * together leave nothing open (domain rules 4 to 8). In a ledger in which every receipt passes its own stream's rules and these:
 *
 * - Every copy has exactly one origin. Its id is a hash over a pack's id, slot and card, or over a granting receipt's id and index. A pack's
 *   id is a hash over drop and pixbook, or over a code; a pixbook has each pack at most once; a code's pack is only in the pixbook that
 *   the one claim in the code's stream names. A receipt's id is a hash over its stream and position. So one id cannot come about twice.
 * - No copy is owned twice. By induction over the receipts, in an order in which each comes after its predecessor and after what it cites
 *   (there is one: a citation holds the hash of what is cited, so they cannot go round in a circle). A copy changes its owner by an
 *   acceptance alone: it must be in escrow of this very offer, from which it goes at most once, and in escrow of the partner's reservation,
 *   which the acceptance cites by hash, and which cites the offer by hash and takes just what it gives. The partner's stream follows by
 *   settling, which cites the acceptance by hash and happens once a trade; or it is released, which cites what ended the offer otherwise,
 *   and one offer has one end. What is in escrow is given and removed in no other way. Between acceptance and settlement a returned copy
 *   is shown in escrow by the one and held by the other: it is the latter's.
 * - None vanishes: what leaves a pixbook by an acceptance enters the other by its settlement, which `trade-unsettled` asks for.
 */

/** A receipt of another stream, as a receipt names it. */
export type Cited = { readonly stream: Stream; readonly eventId: EventId; readonly hash: ReceiptHash };

/** A receipt that was strictly read and truly signed, as those see it who rest on it. */
export type Witness = {
  readonly stream: Stream;
  readonly position: number;
  readonly place: Place;
  readonly prevHash: ReceiptHash | null;
  readonly event: LedgerEvent;
};

/** A pixbook after one of its receipts. `place` is that receipt's. */
export type BookThen = { readonly stream: StreamOf<'pixbook'>; readonly state: LivePixbook; readonly place: Place };

/** The steps of a trade that rest on a receipt of the partner's stream. */
export type CitingStep = PixbookEventOf<`CARD_TRADE_${'RESERVED' | 'ACCEPTED' | 'SETTLED' | 'RELEASED'}`>;

export const isCitingStep = (event: PixbookEvent): event is CitingStep =>
  /^CARD_TRADE_(?:RESERVED|ACCEPTED|SETTLED|RELEASED)$/.test(event.type);

/** What a step of a trade cites. Throws TypeError when the state does not have the trade: it is not the one after that step. */
export const citedByStep = ({ state }: Pick<BookThen, 'state'>, event: CitingStep): Cited => {
  if (event.type === 'CARD_TRADE_RESERVED') {
    const { accountId, bookId, eventId, hash } = event.payload.offer;
    return { stream: pixbookStream(accountId, bookId), eventId, hash };
  }
  if (event.type === 'CARD_TRADE_ACCEPTED') {
    const { accountId, bookId } = known(offerIn(state, event.payload.tradeId)).to;
    return { stream: pixbookStream(accountId, bookId), ...event.payload.reservation };
  }
  const { accountId, bookId } = known(reservationIn(state, event.payload.tradeId)).offer;
  const citation = event.type === 'CARD_TRADE_SETTLED' ? event.payload.acceptance : event.payload.outcome;
  return { stream: pixbookStream(accountId, bookId), ...citation };
};

/** The claim that a code's pack cites; null for the pack of a drop. */
export const citedByPack = ({ payload: { claim } }: PixbookEventOf<'PACK_ISSUED'>): Cited | null =>
  claim === null ? null : { stream: codeStream(claim.codeId), eventId: claim.eventId, hash: claim.hash };

/** The position of a cited receipt; null when no position of that stream has such an event id. */
export const positionOfCited = ({ stream, eventId }: Pick<Cited, 'stream' | 'eventId'>): number | null => {
  const position = positionOf(eventId);
  return position >= 0 && eventIdAt(stream, position) === eventId ? position : null;
};

/** Whether the receipt that is there is the one that was cited. */
export const citationFault = (cited: Cited, witness: Witness | null): DomainFault | null => {
  if (witness?.place.hash === cited.hash && witness.place.eventId === cited.eventId) return null;
  const why = witness === null ? 'no position of its stream has that id' : 'its hash is another one';
  return domainFault('citation-mismatch', `it cites ${cited.eventId}, but ${why}`);
};

/** What is wrong with a step of a trade, seen together with the receipt that it cites, or null (domain rule 8). */
export const tradeFault = (book: BookThen, event: CitingStep, { place, event: cited }: Witness): DomainFault | null => {
  const wrong = (detail: string): DomainFault => domainFault('trade-mismatch', `${event.type}: ${detail}`);
  switch (event.type) {
    case 'CARD_TRADE_RESERVED':
      return cited.type === 'CARD_TRADE_OFFERED' ? reservedFault(book, event, cited, wrong) : wrong('what it cites is no offer');
    case 'CARD_TRADE_ACCEPTED':
      return cited.type === 'CARD_TRADE_RESERVED'
        ? acceptedFault(book, event, cited, wrong)
        : wrong('what it cites is no reservation');
    case 'CARD_TRADE_SETTLED': {
      const reservation = known(reservationIn(book.state, event.payload.tradeId));
      if (cited.type !== 'CARD_TRADE_ACCEPTED' || cited.payload.tradeId !== event.payload.tradeId)
        return wrong('what it cites is no acceptance of this trade');
      if (cited.payload.reservation.hash !== reservation.reservation.hash || cited.payload.offerHash !== reservation.offer.hash)
        return wrong('what it cites accepts another offer, or by another reservation');
      return sameCopies(cited.payload.receive, reservation.give)
        ? null
        : wrong('it gives other copies than the acceptance receives');
    }
    case 'CARD_TRADE_RELEASED':
      return isOtherEnd(cited) && cited.payload.tradeId === event.payload.tradeId
        ? null
        : wrong(`what it cites (${place.eventId}) did not end this trade otherwise`);
  }
};

type Wrong = (detail: string) => DomainFault;

const reservedFault = (
  { stream, state }: BookThen,
  { payload }: PixbookEventOf<'CARD_TRADE_RESERVED'>,
  { payload: offer }: PixbookEventOf<'CARD_TRADE_OFFERED'>,
  wrong: Wrong,
): DomainFault | null => {
  const { to } = offer;
  if (to.bookId !== stream.bookId || to.accountId !== stream.accountId || to.identityId !== state.identityId)
    return wrong('the offer was made to another pixbook');
  if (!sameCopies(payload.take, offer.give)) return wrong('it takes other copies than the offer gives');
  return isWanted(offer.want, payload.give) ? null : wrong('it gives other copies than the offer wants');
};

const acceptedFault = (
  { stream, state }: BookThen,
  { payload }: PixbookEventOf<'CARD_TRADE_ACCEPTED'>,
  { payload: reserved }: PixbookEventOf<'CARD_TRADE_RESERVED'>,
  wrong: Wrong,
): DomainFault | null => {
  const { offerHash, give } = known(offerIn(state, payload.tradeId));
  const { offer, tradeId } = reserved;
  if (
    tradeId !== payload.tradeId ||
    offer.hash !== offerHash ||
    offer.bookId !== stream.bookId ||
    offer.accountId !== stream.accountId
  )
    return wrong('the reservation is for another offer');
  if (!sameCopies(reserved.give, payload.receive)) return wrong('it receives other copies than the reservation gives');
  return sameCopies(reserved.take, give) ? null : wrong('the reservation takes other copies than the offer gives');
};

const isOtherEnd = (event: LedgerEvent): event is PixbookEventOf<`CARD_TRADE_${'DECLINED' | 'CANCELLED' | 'EXPIRED'}`> =>
  /^CARD_TRADE_(?:DECLINED|CANCELLED|EXPIRED)$/.test(event.type);

const known = <T>(trade: T | null): T => {
  if (trade === null) throw new TypeError('the state does not have the trade that its receipt is a step of');
  return trade;
};
