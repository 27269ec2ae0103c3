import type { Outage } from '../../src/port/outage.ts';
import type { PublicKeyId } from '../../src/receipt/ids.ts';
import type { Tally } from './counted-store.ts';
import type { Market } from './market.ts';
import type { Place } from './parts.ts';

/** What a thread is told once. `shared` holds two 32-bit integers: receipts made by all, and whether to stop. */
export type ThreadOrder = {
  readonly place: Place;
  readonly market: Market;
  readonly trust: PublicKeyId;
  readonly seed: string;
  readonly codeSecret: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly shared: SharedArrayBuffer;
};

/** Answers to a `YearPlan`. An outage is told in parts: between threads an error forgets what it is. */
export type YearPlayed = { readonly index: number; readonly tally: Tally };
export type YearFailed = { readonly outage: Pick<Outage, 'dependency' | 'code' | 'message'> };

export const RECEIPTS = 0;
export const STOP = 1;
