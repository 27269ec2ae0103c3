import type { Selectable } from 'kysely';
import { type DueTrade, type TradeResource, tradeStatuses } from '../../port/ledger-queries.ts';
import type { DB } from '../../projection/tables.generated.ts';
import { offerEventIdOf, parseAccountId, parseBookId, parseEventId, parseInstant, parseTradeId } from '../../receipt/ids.ts';
import { pixbookPayloads } from '../../stream/pixbook/event.ts';
import { stored, storedInstant, storedJson, storedOrNull, storedWord } from '../stored-column.ts';

/** Rows of trades → resources of the port. All throw `MalformedRow`. */

const { give, want } = pixbookPayloads.CARD_TRADE_OFFERED.shape;
const { receive } = pixbookPayloads.CARD_TRADE_ACCEPTED.shape;

/** The offerer's row, with what the partner's book says of the trade. */
type TradeRow = Omit<Selectable<DB['trades']>, 'status'> & {
  readonly shown_status: string;
  readonly reservation_event_id: string | null;
};

export const tradeOf = (row: TradeRow): TradeResource => {
  const tradeId = stored('trades.trade_id', parseTradeId, row.trade_id);
  return {
    tradeId,
    status: storedWord('trade status', tradeStatuses, row.shown_status),
    from: {
      accountId: stored('trades.account_id', parseAccountId, row.account_id),
      bookId: stored('trades.book_id', parseBookId, row.book_id),
    },
    to: {
      accountId: stored('trades.to_account_id', parseAccountId, row.to_account_id),
      bookId: stored('trades.to_book_id', parseBookId, row.to_book_id),
    },
    give: storedJson('trades.give', give, row.give),
    want: storedJson('trades.want', want, row.want),
    receive: row.receive === null ? null : storedJson('trades.receive', receive, row.receive),
    offeredAt: storedInstant('trades.offered_at', row.offered_at),
    expiresAt: storedInstant('trades.expires_at', row.expires_at),
    endedAt: storedOrNull('trades.ended_at', parseInstant, row.ended_at),
    receipts: {
      offer: offerEventIdOf(tradeId),
      reservation: storedOrNull('trade_reservations.event_id', parseEventId, row.reservation_event_id),
      end: storedOrNull('trades.end_event_id', parseEventId, row.end_event_id),
    },
  };
};

export const dueTradeOf = (row: Pick<Selectable<DB['trades']>, 'account_id' | 'book_id' | 'trade_id'>): DueTrade => ({
  accountId: stored('trades.account_id', parseAccountId, row.account_id),
  bookId: stored('trades.book_id', parseBookId, row.book_id),
  tradeId: stored('trades.trade_id', parseTradeId, row.trade_id),
});
