import { Outage } from '../port/outage.ts';
import type { BookRef } from '../port/read-model.ts';
import { type EventId, OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID } from '../receipt/ids.ts';
import { keyAt, positionOf, prefixOf } from '../receipt/key-path.ts';
import { readReceipt } from '../receipt/read.ts';
import { pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { eventOf } from '../stream/event.ts';
import { noConcerns } from '../stream/pixbook/concerns.ts';
import { idsOf } from '../stream/pixbook/copies.ts';
import type { Citation, PixbookEventOf } from '../stream/pixbook/event.ts';
import { type AppendParts, append } from './append.ts';
import { fromStore } from './deadline.ts';
import { derivedKey } from './derived-key.ts';
import type { Book, CommandOutcome, CommandRefusal, Offer } from './ledger-commands.ts';
import { bookAt, orStopped, tradeAt } from './look-up.ts';
import { pixbookIntent, serviceWord } from './pixbook-intent.ts';

/** A reservation in the accepter's book. */
export type ReservationPlace = { readonly book: Book; readonly reservation: EventId };

/**
 * `outcome` is the acceptance, durable whatever becomes of the settlement, or what ended the offer. `finished`: nothing is reserved any more.
 */
export type Completed = { readonly outcome: CommandOutcome; readonly finished: boolean };

/**
 * What follows from a reservation: the acceptance in the offerer's book, then the settlement in the accepter's; or, when the offer ended
 * otherwise, the release of what was reserved. By whomever, however often, after a crash at any point: each step has an idempotency key
 * that follows from the receipt before it.
 */
export type TradeCompletion = {
  /** Throws `Outage` before the offer is decided. */
  complete(place: ReservationPlace): Promise<Completed>;
  /** Releases what the partner had reserved for an offer that ended. Best effort: never throws `Outage`. */
  releaseAfter(offer: Offer): Promise<void>;
};

type Reserved = PixbookEventOf<'CARD_TRADE_RESERVED'>['payload'];
type Step = { readonly place: ReservationPlace; readonly reserved: Reserved; readonly cited: Citation };

const operator = { accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID };

export const tradeCompletion = (parts: AppendParts, expire: (offer: Offer) => Promise<CommandOutcome>): TradeCompletion => {
  const complete = async (place: ReservationPlace): Promise<Completed> => {
    const found = await reservationAt(parts, place);
    if (!found.ok) return { outcome: found, finished: false };
    const step = { place, ...found.value };
    const accepted = await accept(parts, step);
    if (accepted.ok) {
      const { eventId, hash } = accepted.value;
      // A crash or an outage here: the trade is decided, and the reservation stays in the redo outbox until it is settled.
      return { outcome: accepted, finished: await worked(() => settle(parts, step, { eventId, hash })) };
    }
    if (accepted.error.code === 'trade-expired') await expire(offerOf(step.reserved));
    return { outcome: accepted, finished: await worked(() => release(parts, step)) };
  };
  return {
    complete,
    releaseAfter: async (offer) => {
      await worked(async () => {
        const place = await openReservationOf(parts, offer);
        const found = place === null ? null : await reservationAt(parts, place);
        return place !== null && found?.ok ? release(parts, { place, ...found.value }) : ok(undefined);
      });
    },
  };
};

const offerOf = ({ tradeId, offer }: Reserved): Offer => ({ tradeId, accountId: offer.accountId, bookId: offer.bookId });

/** Whether a step came to its end; an outage leaves it to the redo worker. */
const worked = async (work: () => Promise<Result<unknown, unknown>>): Promise<boolean> => {
  try {
    return (await work()).ok;
  } catch (error) {
    if (!(error instanceof Outage)) throw error;
    return false;
  }
};

/** The reservation's own receipt: what was consented to, and how others cite it. */
const reservationAt = async (
  parts: AppendParts,
  { book, reservation }: ReservationPlace,
): Promise<Result<{ readonly reserved: Reserved; readonly cited: Citation }, CommandRefusal>> => {
  const key = keyAt(pixbookStream(book.accountId, book.bookId), positionOf(reservation));
  const bytes = await fromStore(parts, () => parts.store.read(key));
  const read = bytes === null ? null : readReceipt(bytes, key);
  const event = read?.ok ? eventOf(read.value.receipt) : null;
  if (!read?.ok || !event?.ok || event.value.type !== 'CARD_TRADE_RESERVED')
    return err({ code: 'trade-missing', detail: 'there is no such reservation' });
  const { eventId, hash } = read.value.receipt;
  return ok({ reserved: event.value.payload, cited: { eventId, hash } });
};

/** The commit point: in the offerer's book, signed by the accepter, against every rival for that position. */
const accept = async (parts: AppendParts, { place, reserved, cited }: Step): Promise<CommandOutcome> => {
  const { tradeId, offer, give } = reserved;
  const identityId = await accepterOf(parts, place.book);
  if (!identityId.ok) return identityId;
  const book = { accountId: offer.accountId, bookId: offer.bookId };
  const idempotencyKey = derivedKey(cited.eventId, prefixOf(pixbookStream(book.accountId, book.bookId)));
  return append(
    parts,
    pixbookIntent(
      { userId: null, idempotencyKey, ifMatch: null },
      {
        book,
        actor: { accountId: place.book.accountId, identityId: identityId.value },
        authorise: serviceWord,
        asked: { type: 'CARD_TRADE_ACCEPTED', payload: { tradeId, reservation: cited } },
        concerns: { ...noConcerns, tradeIds: [tradeId], instanceIds: idsOf(give) },
        command: { type: 'accept-trade', tradeId, reservation: cited, give },
      },
    ),
  );
};

const settle = (parts: AppendParts, { place, reserved }: Step, acceptance: Citation): Promise<CommandOutcome> => {
  const { tradeId, take } = reserved;
  return inAccepterBook(parts, place.book, acceptance.eventId, {
    asked: { type: 'CARD_TRADE_SETTLED', payload: { tradeId, acceptance } },
    concerns: { ...noConcerns, tradeIds: [tradeId], instanceIds: idsOf(take) },
    command: { type: 'settle-trade', tradeId, acceptance },
  });
};

/** Nothing is released while the offer stands: its owner, or time, has yet to end it. */
const release = async (parts: AppendParts, { place, reserved }: Step): Promise<Result<unknown, unknown>> => {
  const { tradeId } = reserved;
  const offer = orStopped(await tradeAt(parts, offerOf(reserved), tradeId))?.offer ?? null;
  if (offer === null || offer.status === 'offered' || offer.status === 'accepted' || offer.end === null)
    return err('the offer has not ended otherwise');
  const outcome = offer.end;
  return inAccepterBook(parts, place.book, outcome.eventId, {
    asked: { type: 'CARD_TRADE_RELEASED', payload: { tradeId, outcome } },
    concerns: { ...noConcerns, tradeIds: [tradeId] },
    command: { type: 'release-trade', tradeId, outcome },
  });
};

/** A step in the accepter's book that only follows from a receipt of the offerer's: the operator's word. */
const inAccepterBook = (
  parts: AppendParts,
  book: Book,
  deciding: EventId,
  step: Pick<Parameters<typeof pixbookIntent>[1], 'asked' | 'concerns' | 'command'>,
): Promise<CommandOutcome> => {
  const idempotencyKey = derivedKey(deciding, prefixOf(pixbookStream(book.accountId, book.bookId)));
  const context = { userId: null, idempotencyKey, ifMatch: null };
  return append(parts, pixbookIntent(context, { book, actor: operator, authorise: serviceWord, ...step }));
};

/** Where the partner of an offer has reserved for it, if it has and nothing came of it yet. */
const openReservationOf = async (parts: AppendParts, offer: Offer): Promise<ReservationPlace | null> => {
  const trade = orStopped(await tradeAt(parts, offer, offer.tradeId))?.offer ?? null;
  if (trade === null) return null;
  const book = { accountId: trade.to.accountId, bookId: trade.to.bookId };
  const reservation = orStopped(await tradeAt(parts, book, offer.tradeId))?.reservation ?? null;
  return reservation?.status === 'reserved' ? { book, reservation: reservation.reservation.eventId } : null;
};

const accepterOf = async (parts: AppendParts, book: Book): Promise<Result<BookRef['identityId'], CommandRefusal>> => {
  const seen = await bookAt(parts, book);
  if (!seen.ok) return seen;
  if (seen.value === null) throw new Outage('postgres', 'postgres-unavailable', 'the book is not projected yet');
  return ok(seen.value.identityId);
};
