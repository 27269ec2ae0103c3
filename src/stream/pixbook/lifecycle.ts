import { transitionsOf } from '../transition.ts';
import type { LivePixbook, OfferStatus, Pack, PixbookState, ReservationStatus } from './state.ts';

/** A pixbook is created, written to and closed, each by its event; after that nothing comes any more (domain rule 10). */
export const bookAfter = transitionsOf<PixbookState['status'], 'PIXBOOK_CREATED' | 'PIXBOOK_CLOSED' | 'anything else'>({
  absent: { PIXBOOK_CREATED: 'open' },
  open: { 'anything else': 'open', PIXBOOK_CLOSED: 'closed' },
  closed: {},
});

/** A pack that was never issued has status `none`. */
export const packAfter = transitionsOf<'none' | Pack['status'], 'PACK_ISSUED' | 'PACK_OPENED'>({
  none: { PACK_ISSUED: 'issued' },
  issued: { PACK_OPENED: 'opened' },
  opened: {},
});

export type EndOfOffer = `CARD_TRADE_${'ACCEPTED' | 'DECLINED' | 'CANCELLED' | 'EXPIRED'}`;

/** Whatever comes first ends an offer, and nothing comes after (domain rule 8). */
export const offerAfter = transitionsOf<OfferStatus, EndOfOffer>({
  offered: {
    CARD_TRADE_ACCEPTED: 'accepted',
    CARD_TRADE_DECLINED: 'declined',
    CARD_TRADE_CANCELLED: 'cancelled',
    CARD_TRADE_EXPIRED: 'expired',
  },
  accepted: {},
  declined: {},
  cancelled: {},
  expired: {},
});

export type EndOfReservation = `CARD_TRADE_${'SETTLED' | 'RELEASED'}`;

export const reservationAfter = transitionsOf<ReservationStatus, EndOfReservation>({
  reserved: { CARD_TRADE_SETTLED: 'settled', CARD_TRADE_RELEASED: 'released' },
  settled: {},
  released: {},
});

/** The status of a pack in a book. */
export const packStatusIn = ({ packs }: LivePixbook, packId: Parameters<typeof packs.get>[0]): 'none' | Pack['status'] =>
  packs.get(packId)?.status ?? 'none';

/** How many trades are open. Throws when it was not looked up: the concerns of what is judged forgot to ask for it. */
export const openTradesOf = ({ openTrades }: LivePixbook): number => {
  if (openTrades === null) throw new Error('the number of open trades was not looked up');
  return openTrades;
};
