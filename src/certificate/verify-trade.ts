import {
  type AccountId,
  type BookId,
  type CollectionId,
  type IdentityId,
  type Instant,
  type TradeId,
  offerEventIdOf,
} from '../receipt/ids.ts';
import { positionOf } from '../receipt/key-path.ts';
import { type StreamOf, pixbookStream } from '../receipt/stream.ts';
import { type CitingStep, citationFault, citedByStep, tradeFault } from '../stream/citation.ts';
import type { StreamState } from '../stream/fold.ts';
import type { Instance } from '../stream/pixbook/event.ts';
import type { TradeCertificate } from './certificate.ts';
import type { Evidence, Proof } from './evidence.ts';
import {
  type ProofOf,
  type Telling,
  Untold,
  bookHolding,
  demandFit,
  liveIn,
  openTelling,
  placeOf,
  witnessOf,
} from './telling.ts';

/** One side of a trade, and what it gave. */
export type Trader = {
  readonly accountId: AccountId;
  readonly identityId: IdentityId;
  readonly bookId: BookId;
  readonly gave: readonly Instance[];
};

/** What a trade certificate proves. */
export type ProvenTrade = {
  readonly what: 'trade';
  readonly tradeId: TradeId;
  readonly collectionId: CollectionId;
  readonly offerer: Trader;
  readonly accepter: Trader;
  readonly offeredAt: Instant;
  /** When it was decided. */
  readonly acceptedAt: Instant;
  /** When the accepter's book followed; null when the certificate was made before. */
  readonly settledAt: Instant | null;
};

type Sides = {
  readonly offer: ProofOf<'CARD_TRADE_OFFERED'>;
  readonly acceptance: ProofOf<'CARD_TRADE_ACCEPTED'>;
  readonly reservation: ProofOf<'CARD_TRADE_RESERVED'>;
};

/**
 * What the receipts prove of the trade. The rules of both streams judge them, as if each book held what it gives and nothing else, and the
 * rules between streams judge what they cite. Throws `Untold`.
 */
export const provenTrade = (evidence: Evidence, { tradeId }: TradeCertificate): ProvenTrade => {
  const telling = openTelling(evidence);
  const offer = telling.any('CARD_TRADE_OFFERED', ({ read }) => read.receipt.eventId === offerEventIdOf(tradeId));
  const book = offer?.read.receipt.stream;
  if (offer === null || book?.type !== 'pixbook') throw missing('CARD_TRADE_OFFERED');
  const { to, give } = offer.event.payload;
  const acceptance = telling.any(
    'CARD_TRADE_ACCEPTED',
    ({ event, read }) => event.payload.tradeId === tradeId && isIn(read.receipt.stream, book),
  );
  if (acceptance === null) throw missing('CARD_TRADE_ACCEPTED');
  const partner = pixbookStream(to.accountId, to.bookId);
  const reservation = telling.at(partner, positionOf(acceptance.event.payload.reservation.eventId), 'CARD_TRADE_RESERVED');
  const sides = { offer, acceptance, reservation };

  const offered = telling.step(bookHolding(telling, telling.at(book, 0, 'PIXBOOK_CREATED'), give), offer);
  const accepted = telling.step(offered, acceptance);
  demandOrder(offer, acceptance);
  const holding = bookHolding(telling, telling.at(partner, 0, 'PIXBOOK_CREATED'), reservation.event.payload.give);
  const reserved = telling.step(holding, reservation);
  demandCited(book, accepted, acceptance, reservation);
  demandCited(partner, reserved, reservation, offer);
  const settlement = settled(telling, partner, reserved, sides);
  telling.end();

  const { identityId, collectionId } = liveIn(accepted);
  return {
    what: 'trade',
    tradeId,
    collectionId,
    offerer: { accountId: book.accountId, identityId, bookId: book.bookId, gave: give },
    accepter: { accountId: to.accountId, identityId: to.identityId, bookId: to.bookId, gave: reservation.event.payload.give },
    offeredAt: offer.read.receipt.createdAt,
    acceptedAt: acceptance.read.receipt.createdAt,
    settledAt: settlement?.read.receipt.createdAt ?? null,
  };
};

const settled = (
  telling: Telling,
  partner: StreamOf<'pixbook'>,
  reserved: StreamState,
  { acceptance, reservation }: Sides,
): ProofOf<'CARD_TRADE_SETTLED'> | null => {
  const settlement = telling.any('CARD_TRADE_SETTLED', ({ read }) => isIn(read.receipt.stream, partner));
  if (settlement === null) return null;
  demandOrder(reservation, settlement);
  demandCited(partner, telling.step(reserved, settlement), settlement, acceptance);
  return settlement;
};

/** A receipt says what the one it cites says, and cites that one. */
const demandCited = (
  stream: StreamOf<'pixbook'>,
  after: StreamState,
  step: Proof & { readonly event: CitingStep },
  cited: Proof,
): void => {
  const book = { stream, state: liveIn(after), place: placeOf(step) };
  const witness = witnessOf(cited);
  demandFit(citationFault(citedByStep(book, step.event), witness) ?? tradeFault(book, step.event, witness), step);
};

/** Two receipts of one stream, the second after the first. */
const demandOrder = (first: Proof, second: Proof): void => {
  const inOrder = first.read.position < second.read.position && first.read.receipt.createdAt <= second.read.receipt.createdAt;
  if (!inOrder) throw new Untold('runs-backwards', 'it comes before what it follows from', second.key);
};

const isIn = (stream: Proof['read']['receipt']['stream'], book: StreamOf<'pixbook'>): boolean =>
  stream.type === 'pixbook' && stream.bookId === book.bookId && stream.accountId === book.accountId;

const missing = (type: string): Untold => new Untold('receipt-missing', `the ${type} of this trade is not in it`, null);
