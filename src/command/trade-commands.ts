import { Outage } from '../port/outage.ts';
import type { BookRef } from '../port/read-model.ts';
import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, offerEventIdOf } from '../receipt/ids.ts';
import { prefixOf } from '../receipt/key-path.ts';
import { pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import type { PixbookCommand } from '../stream/pixbook/command.ts';
import { concernsOfCommand, noConcerns } from '../stream/pixbook/concerns.ts';
import type { PixbookEventType } from '../stream/pixbook/event.ts';
import { offerIn } from '../stream/pixbook/state.ts';
import { type AppendParts, append } from './append.ts';
import { fromReadModel } from './deadline.ts';
import { derivedKey } from './derived-key.ts';
import type {
  Book,
  CommandContext,
  CommandOutcome,
  CommandRefusal,
  LedgerCommands,
  LedgerUpkeep,
  Offer,
} from './ledger-commands.ts';
import { bookAt, tradeAt } from './look-up.ts';
import {
  type PixbookContext,
  type PixbookRequest,
  actingSignature,
  ownSignature,
  pixbookIntent,
  serviceWord,
} from './pixbook-intent.ts';
import type { Completed, TradeCompletion } from './trade-completion.ts';

type TradeCommands = Pick<LedgerCommands, 'offerTrade' | 'acceptTrade' | 'declineTrade' | 'cancelTrade'> &
  Pick<LedgerUpkeep, 'expireTrade'>;

/** The commands of trades (domain rule 8). `completion` does what follows from a reservation and from an offer that ended. */
export const tradeCommands = (parts: AppendParts, completion: TradeCompletion): TradeCommands => ({
  offerTrade: (context, book, { to, give, want, expiresAt }) =>
    append(
      parts,
      pixbookIntent(context, {
        book,
        asked: { type: 'CARD_TRADE_OFFERED', payload: { to: to.bookId, give: [...give], want, expiresAt } },
        concerns: { ...noConcerns, instanceIds: give, openTrades: true },
        command: async () => {
          const partner = await partnerAt(parts, to);
          return partner.ok ? ok({ type: 'offer-trade', ...partner.value, give, want, expiresAt }) : partner;
        },
      }),
    ),
  acceptTrade: async (context, offer, { give, ...book }) => {
    let reserved = await reserve(parts, context, { offer, book, give });
    if (!reserved.ok) {
      // The offer may be newer than what this process knows of the offerer's book: a refusal must rest on what the store holds now.
      parts.memory.forget(prefixOf(pixbookStream(offer.accountId, offer.bookId)));
      reserved = await reserve(parts, context, { offer, book, give });
    }
    if (!reserved.ok) return reserved;
    // A crash here: the reservation's receipt has put the rest into the redo outbox, and a retry comes this way again.
    const { eventId } = reserved.value;
    const { outcome, finished } = await completion.complete({ book, reservation: eventId }).catch(undecided);
    const target = prefixOf(pixbookStream(offer.accountId, offer.bookId));
    if (finished) parts.followed?.({ eventId, target, kind: 'complete-trade' });
    return outcome;
  },
  declineTrade: async (context, offer, book) => {
    const identity = await identityOf(parts, book);
    if (!identity.ok) return identity;
    const actor = { accountId: book.accountId, identityId: identity.value };
    const key = derivedKey(`${book.bookId} ${context.idempotencyKey}`, prefixOf(pixbookStream(offer.accountId, offer.bookId)));
    const own = { ...context, idempotencyKey: key };
    const authorise = actingSignature(own);
    return endOffer(parts, completion, own, offer, {
      type: 'decline-trade',
      event: 'CARD_TRADE_DECLINED',
      actor,
      authorise,
      book,
    });
  },
  cancelTrade: (context, offer) =>
    endOffer(parts, completion, context, offer, {
      ...{ type: 'cancel-trade', event: 'CARD_TRADE_CANCELLED', authorise: ownSignature(context, offer) },
    }),
  expireTrade: (offer) => {
    const key = derivedKey(offerEventIdOf(offer.tradeId), prefixOf(pixbookStream(offer.accountId, offer.bookId)));
    const context: PixbookContext = { userId: null, idempotencyKey: key, ifMatch: null };
    const actor = { accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID };
    return endOffer(parts, completion, context, offer, {
      ...{ type: 'expire-trade', event: 'CARD_TRADE_EXPIRED', actor, authorise: serviceWord },
    });
  },
});

/** The reservation is durable, so this is no refusal that wrote nothing: the same key, or the redo worker, goes on from it. */
const undecided = (error: unknown): Completed => {
  if (!(error instanceof Outage)) throw error;
  const detail = 'the acceptance may or may not come to exist; repeat the request with the same key';
  return { outcome: err({ code: 'outcome-unknown', detail }), finished: false };
};

type Partner = Parameters<LedgerCommands['offerTrade']>[2]['to'];

/** Who the book is of that a trade is offered to; nulls when there is no such book, or it is closed. */
const partnerAt = async (parts: AppendParts, { bookId, accountId }: Partner) => {
  const seen =
    accountId === null
      ? ok(await fromReadModel(parts, () => parts.readModel.book(bookId)))
      : await bookAt(parts, { accountId, bookId });
  if (!seen.ok) return seen;
  const ref = seen.value;
  if (ref === null || ref.status === 'closed') return ok({ to: null, collectionId: null });
  const { identityId, generation, collectionId } = ref;
  return ok({ to: { accountId: ref.accountId, identityId, bookId, generation }, collectionId });
};

type Acceptance = {
  readonly offer: Offer;
  readonly book: Book;
  readonly give: Parameters<LedgerCommands['acceptTrade']>[2]['give'];
};

const offererSuspended: Result<never, CommandRefusal> = err({
  code: 'account-suspended',
  detail: 'the account that offered this is suspended: nothing leaves it until it is resumed',
});

/** The first half of an acceptance, in the accepter's own book and under the client's key. */
const reserve = async (
  parts: AppendParts,
  context: CommandContext,
  { offer, book, give }: Acceptance,
): Promise<CommandOutcome> => {
  const seen = await tradeAt(parts, offer, offer.tradeId);
  if (!seen.ok) return seen;
  const standing = seen.value?.offer ?? null;
  const offered = standing === null ? null : { accountId: offer.accountId, bookId: offer.bookId, ...standing };
  // The receipt names all that is given: the copies the offer names, and those chosen here.
  const given = [...(standing?.want.instanceIds ?? []), ...give];
  const command: PixbookCommand = { type: 'reserve-trade', tradeId: offer.tradeId, offer: offered, give };
  const isSuspended = seen.value?.accountStatus === 'suspended';
  return append(
    parts,
    pixbookIntent(context, {
      book,
      asked: { type: 'CARD_TRADE_RESERVED', payload: { tradeId: offer.tradeId, give: given } },
      concerns: concernsOfCommand(command),
      // Once it is reserved the trade goes on, whatever is said of the account.
      command: async () => (isSuspended ? offererSuspended : ok(command)),
    }),
  );
};

/** A book's identity; refused as a missing book is. */
const identityOf = async (parts: AppendParts, book: Book): Promise<Result<BookRef['identityId'], CommandRefusal>> => {
  const seen = await bookAt(parts, book);
  if (!seen.ok) return seen;
  return seen.value === null ? err({ code: 'not-found', detail: 'there is no such resource' }) : ok(seen.value.identityId);
};

type Ending = Pick<PixbookRequest, 'actor' | 'authorise'> & {
  readonly type: 'decline-trade' | 'cancel-trade' | 'expire-trade';
  readonly event: PixbookEventType;
  /** The partner's book, when it is the partner who ends it. */
  readonly book?: Book;
};

/** Ends an offer otherwise than by acceptance: one receipt, which competes with every other for its position. */
const endOffer = async (
  parts: AppendParts,
  completion: TradeCompletion,
  context: PixbookContext,
  offer: Offer,
  { type, event, book: partner, ...word }: Ending,
): Promise<CommandOutcome> => {
  const { tradeId, accountId, bookId } = offer;
  const outcome = await append(
    parts,
    pixbookIntent(context, {
      book: { accountId, bookId },
      ...word,
      asked: { type: event, payload: { tradeId } },
      concerns: { ...noConcerns, tradeIds: [tradeId] },
      command: async ({ state }) => {
        const trade = state.status === 'absent' ? null : offerIn(state, tradeId);
        return partner !== undefined && trade !== null && trade.to.bookId !== partner.bookId
          ? err({ code: 'trade-not-yours', detail: 'the trade was not offered to this pixbook' })
          : ok({ type, tradeId });
      },
    }),
  );
  // A crash here: whatever the partner had reserved is released by the redo of its reservation.
  if (outcome.ok) await completion.releaseAfter(offer);
  return outcome;
};
