import { limits } from '../../src/limits.ts';
import { type TradeId, parseTradeId } from '../../src/receipt/ids.ts';
import { granted } from '../ledger-fixture.ts';
import type { CommandOf, Interruption } from './command.ts';
import { type Foretold, done, refused } from './foretold.ts';
import { type Reckoning, type Trade, free, move, notFree, satisfies, shows } from './reckoning.ts';

type TradeCommand = CommandOf<'offer' | 'accept' | 'decline' | 'cancel'>;

/** What must come of a command about a trade. */
export const foretellTrade = (reckoning: Reckoning, command: TradeCommand, nowMs: number): Foretold => {
  switch (command.verb) {
    case 'offer':
      return offer(reckoning, command, nowMs);
    case 'accept':
      return accept(reckoning, command, nowMs);
    case 'decline':
    case 'cancel':
      return withdraw(reckoning, command);
  }
};

const offer = (reckoning: Reckoning, command: CommandOf<'offer'>, nowMs: number): Foretold => {
  const { bookId, give, want, expiresMs } = command;
  const book = reckoning.books.get(bookId);
  const partner = reckoning.books.get(command.to);
  if (book === undefined || book.isClosed) return refused('pixbook-closed');
  if (partner === undefined || partner.isClosed) return refused('trade-target-missing');
  if (partner === book) return refused('trade-with-itself');
  if (partner.collectionId !== book.collectionId) return refused('trade-target-missing');
  const fault = notFree(reckoning, bookId, give);
  if (fault !== null) return refused(fault);
  const named = [...give, ...want.instanceIds];
  if (new Set(named).size !== named.length) return refused('card-twice');
  if (expiresMs - nowMs < limits.offerMinMs) return refused('trade-expiry-invalid');
  return {
    code: 'ok',
    learn: (_event, eventId) => {
      const tradeId = granted(parseTradeId(`trd_${eventId}`));
      const terms = { tradeId, from: bookId, to: partner.bookId, give, want, expiresMs };
      reckoning.trades.set(tradeId, { ...terms, status: 'offered', reservation: null });
      for (const instanceId of give) move(reckoning.copies.get(instanceId), null, tradeId);
    },
  };
};

const accept = (reckoning: Reckoning, command: CommandOf<'accept'>, nowMs: number): Foretold => {
  const { bookId, tradeId, give, interruption } = command;
  const book = reckoning.books.get(bookId);
  const trade = reckoning.trades.get(tradeId);
  if (book === undefined || book.isClosed) return refused('pixbook-closed');
  if (trade === undefined) return refused('trade-missing');
  if (trade.to !== bookId) return refused('trade-not-yours');
  if (trade.reservation !== null) return refused('trade-reserved');
  if (trade.status !== 'offered') return refused(`trade-${trade.status}`);
  if (nowMs >= trade.expiresMs) return refused('trade-expired');
  const given = [...trade.want.instanceIds, ...give];
  const fault = notFree(reckoning, bookId, given);
  if (fault !== null) return refused(fault);
  if (!satisfies(reckoning, trade.want, given)) return refused('trade-want-mismatch');
  if (trade.give.some((instanceId) => shows(reckoning, bookId, instanceId))) return refused('card-in-escrow');
  trade.reservation = { status: 'reserved', give: given };
  for (const instanceId of given) move(reckoning.copies.get(instanceId), null, tradeId);
  return complete(reckoning, trade, nowMs, interruption);
};

/** Goes on from a reservation, as far as it goes. */
export const complete = (reckoning: Reckoning, trade: Trade, nowMs: number, interruption: Interruption | null): Foretold => {
  const { from, to, reservation } = trade;
  if (reservation === null) throw new Error('nothing is reserved');
  if (trade.status === 'offered') {
    const accepter = reckoning.books.get(to)?.identityId;
    if (accepter === undefined || reckoning.identities.get(accepter)?.isRevoked) return refused('identity-revoked');
    if (nowMs >= trade.expiresMs) {
      end(reckoning, trade, 'expired', interruption);
      return refused('trade-expired');
    }
    if (reservation.give.some((instanceId) => shows(reckoning, from, instanceId))) return refused('card-in-escrow');
    if (interruption === 'CARD_TRADE_ACCEPTED') return refused('outcome-unknown');
    trade.status = 'accepted';
    for (const instanceId of trade.give) move(reckoning.copies.get(instanceId), to, null);
    for (const instanceId of reservation.give) move(reckoning.copies.get(instanceId), from, null);
  }
  if (trade.status !== 'accepted') {
    release(reckoning, trade, interruption);
    return refused(reckoning.books.get(from)?.isClosed ? 'pixbook-closed' : `trade-${trade.status}`);
  }
  if (interruption !== 'CARD_TRADE_SETTLED') reservation.status = 'settled';
  return done;
};

/** Ends an offer otherwise than by acceptance. */
export const end = (
  reckoning: Reckoning,
  trade: Trade,
  status: 'declined' | 'cancelled' | 'expired',
  interruption: Interruption | null,
): void => {
  trade.status = status;
  free(reckoning, trade.give);
  release(reckoning, trade, interruption);
};

/** What was reserved for an offer that came to nothing is free again. */
export const release = (reckoning: Reckoning, { reservation }: Trade, interruption: Interruption | null): void => {
  if (reservation?.status !== 'reserved' || interruption === 'CARD_TRADE_RELEASED') return;
  reservation.status = 'released';
  free(reckoning, reservation.give);
};

const withdraw = (reckoning: Reckoning, command: CommandOf<'decline' | 'cancel'>): Foretold => {
  const trade = reckoning.trades.get(command.tradeId);
  if (command.verb === 'decline' && trade !== undefined && trade.to !== command.bookId) return refused('trade-not-yours');
  if (reckoning.books.get(command.from)?.isClosed !== false) return refused('pixbook-closed');
  if (trade === undefined) return refused('trade-missing');
  if (trade.status !== 'offered') return refused(`trade-${trade.status}`);
  end(reckoning, trade, command.verb === 'decline' ? 'declined' : 'cancelled', command.interruption);
  return done;
};

/** The service notices that the time of an offer is over. It says so once, and the same again ever after. */
export const foretellExpiry = (reckoning: Reckoning, tradeId: TradeId, nowMs: number): Foretold => {
  const trade = reckoning.trades.get(tradeId);
  if (trade === undefined) return refused('trade-missing');
  if (trade.status === 'expired') {
    release(reckoning, trade, null);
    return done;
  }
  if (reckoning.books.get(trade.from)?.isClosed) return refused('pixbook-closed');
  if (trade.status !== 'offered') return refused(`trade-${trade.status}`);
  if (nowMs < trade.expiresMs) return refused('trade-not-expired');
  end(reckoning, trade, 'expired', null);
  return done;
};
