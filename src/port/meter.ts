import { type AccountId, type Instant, instantOf } from '../receipt/ids.ts';

declare const brand: unique symbol;
/** A month of UTC, `YYYY-MM`, of the years 2000 to 2999. */
export type Month = string & { readonly [brand]: 'Month' };

const MONTH = /^2\d{3}-(0[1-9]|1[0-2])$/;

/** Null for anything else. */
export const parseMonth = (text: unknown): Month | null =>
  typeof text === 'string' && MONTH.test(text) ? (text as Month) : null;

/** The month of a moment, in milliseconds since 1970. */
export const monthOf = (ms: number): Month => instantOf(ms).slice(0, 7) as Month;

/** Its first moment, and that of the month after it, which is no more part of it. */
export const boundsOf = (month: Month): { readonly from: Instant; readonly until: Instant } => {
  const from = new Date(`${month}-01T00:00:00.000Z`);
  return { from: instantOf(from.getTime()), until: instantOf(new Date(from).setUTCMonth(from.getUTCMonth() + 1)) };
};

/**
 * Counts commands by account and month, for all processes together. What is counted reaches the database some seconds later
 * (`limits.meterFlushMs`): a crash loses that much, and so does a database that breaks while it is told. Nothing is ever counted twice, so that
 * the number is always "at least".
 */
export interface Meter {
  /** One command of this account, now. Costs next to nothing and never throws. */
  count(accountId: AccountId): void;
  /** At least how many were counted in the month. Throws `Outage`. */
  commands(accountId: AccountId, month: Month): Promise<number>;
  /** Hands over what was counted since the last time. Throws `Outage`; then nothing is counted twice, and some may be lost. */
  flush(): Promise<void>;
}
