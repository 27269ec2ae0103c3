import { limits } from '../src/limits.ts';
import {
  type InstanceId,
  type Instant,
  type TradeId,
  epochMsOf,
  instantOf,
  offerEventIdOf,
  tradeIdOf,
} from '../src/receipt/ids.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import { type StreamOf, pixbookStream } from '../src/receipt/stream.ts';
import { err } from '../src/result.ts';
import type { TradeCommand } from '../src/stream/pixbook/command.ts';
import type { Want } from '../src/stream/pixbook/event.ts';
import { type BookTrade, offerIn, reservationIn } from '../src/stream/pixbook/state.ts';
import { type Attempt, type FixtureLedger, granted } from './ledger-fixture.ts';
import { liveBookIn, pixbookIn } from './ledger-state.ts';
import type { ReceiptChoices } from './signed-ledger.ts';

/** What tests do with trades. */

type Book = StreamOf<'pixbook'>;

/** Left out: nothing is wanted, and the offer stands for a day. */
export type OfferTerms = { readonly give: readonly InstanceId[]; readonly want?: Partial<Want>; readonly expiresAt?: Instant };

/** What offering from one book to another comes to. */
export const offerCommand = (ledger: FixtureLedger, to: Book, { give, want, expiresAt }: OfferTerms): TradeCommand => {
  const partner = pixbookIn(ledger, to);
  const isThere = partner.status === 'open';
  return {
    type: 'offer-trade',
    to: isThere
      ? { accountId: to.accountId, bookId: to.bookId, identityId: partner.identityId, generation: partner.generation }
      : null,
    collectionId: isThere ? partner.collectionId : null,
    give,
    want: { instanceIds: want?.instanceIds ?? [], cardIds: want?.cardIds ?? [] },
    expiresAt: expiresAt ?? instantOf(ledger.nowMs() + 24 * 3_600_000),
  };
};

/** Offers, and answers the trade that the offer names. Throws when refused. */
export const offerTrade = async (
  ledger: FixtureLedger,
  from: Book,
  to: Book,
  terms: OfferTerms,
  choices?: ReceiptChoices,
): Promise<TradeId> => tradeIdOf(granted(await ledger.pixbook(from, offerCommand(ledger, to, terms), choices)).receipt.eventId);

/** A trade as the ledger has it: both books, and what each says of it. */
export type TradeSeen = {
  readonly from: Book;
  readonly to: Book;
  readonly offer: Extract<BookTrade, { side: 'offerer' }>;
  readonly reservation: Extract<BookTrade, { side: 'accepter' }> | null;
};

/** Throws when there is no such offer. */
export const tradeIn = (ledger: FixtureLedger, tradeId: TradeId): TradeSeen => {
  const from = ledger.receipts.find(({ receipt }) => receipt.eventId === offerEventIdOf(tradeId))?.receipt.stream;
  const offer = from?.type === 'pixbook' ? offerIn(liveBookIn(ledger, from), tradeId) : null;
  if (from?.type !== 'pixbook' || offer === null) throw new RangeError('there is no such trade');
  const to = pixbookStream(offer.to.accountId, offer.to.bookId);
  return { from, to, offer, reservation: reservationIn(liveBookIn(ledger, to), tradeId) };
};

/** The steps of a trade after its offer. */
export type TradeVerb = Exclude<TradeCommand['type'], 'offer-trade'>;

/**
 * One more step of a trade, each in the book it belongs to and citing what it rests on: or why it is refused, `nothing-to-cite` when what it
 * would rest on has not happened. `give` names copies for an offer that wants cards.
 */
export const tradeStep = async (
  ledger: FixtureLedger,
  tradeId: TradeId,
  verb: TradeVerb,
  { give = [], ...choices }: ReceiptChoices & { readonly give?: readonly InstanceId[] } = {},
): Promise<Attempt> => {
  const { from, to, offer, reservation } = tradeIn(ledger, tradeId);
  const reserved = receiptOf(ledger, to, 'CARD_TRADE_RESERVED', tradeId);
  switch (verb) {
    case 'reserve-trade':
      return ledger.pixbook(
        to,
        { type: verb, tradeId, give, offer: { accountId: from.accountId, bookId: from.bookId, ...offer } },
        choices,
      );
    case 'accept-trade':
      return reservation === null || reserved === null
        ? nothingToCite
        : ledger.pixbook(from, { type: verb, tradeId, give: reservation.give, reservation: reserved }, choices);
    case 'settle-trade':
      return offer.status !== 'accepted' || offer.end === null
        ? nothingToCite
        : ledger.pixbook(to, { type: verb, tradeId, acceptance: offer.end }, choices);
    case 'release-trade':
      return offer.status === 'accepted' || offer.end === null
        ? nothingToCite
        : ledger.pixbook(to, { type: verb, tradeId, outcome: offer.end }, choices);
    default:
      return ledger.pixbook(from, { type: verb, tradeId }, choices);
  }
};

const nothingToCite = err({ code: 'nothing-to-cite', detail: 'what it would rest on has not happened' });

const receiptOf = (ledger: FixtureLedger, book: Book, type: string, tradeId: TradeId) => {
  const stored = ledger.receiptsOf(book).find(({ receipt }) => receipt.type === type && receipt.payload.tradeId === tradeId);
  return stored === undefined ? null : { eventId: stored.receipt.eventId, hash: stored.receipt.hash };
};

/** As `tradeStep`. Throws when refused. */
export const traded = async (
  ledger: FixtureLedger,
  tradeId: TradeId,
  verb: TradeVerb,
  choices?: ReceiptChoices & { readonly give?: readonly InstanceId[] },
): Promise<StoredReceipt> => granted(await tradeStep(ledger, tradeId, verb, choices));

/** Reserves, accepts and settles. Throws when refused. */
export const completeTrade = async (ledger: FixtureLedger, tradeId: TradeId, give: readonly InstanceId[] = []): Promise<void> => {
  await traded(ledger, tradeId, 'reserve-trade', { give });
  await traded(ledger, tradeId, 'accept-trade');
  await traded(ledger, tradeId, 'settle-trade');
};

/** Waits until the time of an offer is over, and ends it. Throws when refused. */
export const expireTrade = async (ledger: FixtureLedger, tradeId: TradeId): Promise<StoredReceipt> => {
  ledger.waitUntil(epochMsOf(tradeIn(ledger, tradeId).offer.expiresAt));
  return traded(ledger, tradeId, 'expire-trade');
};

/** The shortest time an offer may stand from now on. */
export const soonest = (ledger: FixtureLedger): Instant => instantOf(ledger.nowMs() + limits.offerMinMs);
