import { chanceOf } from './chance.ts';
import { marketReceipts } from './market.ts';

/** A neighbourhood to be played, by its number, and how many receipts its year has. */
export type YearPlan = { readonly index: number; readonly receipts: number };

export type Plan = { readonly collections: number; readonly years: readonly YearPlan[] };

/** The fewest receipts that hold a market and one neighbourhood in which everything happens. */
export const LEAST_RECEIPTS = 500;

/** What one neighbourhood writes: few enough for a read model in memory that looks through all of it. */
const YEAR = { least: 900, most: 1_700 };
const RECEIPTS_A_COLLECTION = 100_000;
const COLLECTIONS = { least: 2, most: 8 };

/** Who makes how many of so many receipts: they add up to exactly `receipts`, the market's included. Throws RangeError for fewer than `LEAST_RECEIPTS`. */
export const planOf = (receipts: number, seed: string): Plan => {
  if (receipts < LEAST_RECEIPTS) throw new RangeError(`at least ${LEAST_RECEIPTS} receipts`);
  const collections = receipts < 2 * LEAST_RECEIPTS ? 1 : collectionsFor(receipts);
  const chance = chanceOf(seed, 'plan');
  const years: YearPlan[] = [];
  for (let left = receipts - marketReceipts(collections); left > 0; ) {
    // What is left after this must be enough for a whole neighbourhood, or nothing.
    const wanted = chance.between(YEAR.least, YEAR.most);
    const made = left - wanted < YEAR.least ? left : wanted;
    years.push({ index: years.length, receipts: made });
    left -= made;
  }
  return { collections, years };
};

const collectionsFor = (receipts: number): number =>
  Math.min(COLLECTIONS.most, Math.max(COLLECTIONS.least, Math.round(receipts / RECEIPTS_A_COLLECTION)));
