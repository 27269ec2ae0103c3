import type { Instant } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { Refusal } from '../refusal.ts';
import { type EndOfOffer, offerAfter } from './lifecycle.ts';
import type { OfferStatus } from './state.ts';
import { refuse } from './verdict.ts';

/** What ended an offer. */
export type EndRefusal = Refusal<`trade-${Exclude<OfferStatus, 'offered'>}`>;

/** Whether the time of an offer is over. Instants all have one form, so they sort as texts. */
export const isOver = (expiresAt: Instant, at: Instant): boolean => at >= expiresAt;

/** Whether this end may still come to an offer. Errors: what ended it. */
export const mayEnd = (status: OfferStatus, end: EndOfOffer): Result<void, EndRefusal> =>
  offerAfter(status, end) === null ? ended(status) : ok(undefined);

/** As `mayEnd`, for consent: it must come in time as well. */
export const mayBeAccepted = (
  { status, expiresAt }: { readonly status: OfferStatus; readonly expiresAt: Instant },
  at: Instant,
): Result<void, EndRefusal> => {
  const may = mayEnd(status, 'CARD_TRADE_ACCEPTED');
  if (may.ok && isOver(expiresAt, at)) return refuse('trade-expired', `the offer stood until ${expiresAt}`);
  return may;
};

const ended = (status: OfferStatus): Result<never, EndRefusal> => {
  if (status === 'offered') throw new Error('an offer that stands may end in any way');
  return refuse(`trade-${status}`, `the offer has been ${status}`);
};
