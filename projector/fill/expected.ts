import { isPixbookKey } from './unit-walk.ts';

/** What was given out so far, and the key that was reached. */
export type Reached = { readonly keys: number; readonly reached: string | null };

/** Below this share an estimate from it says nothing. */
const SMALLEST_SHARE = 0.02;

/**
 * How many receipts there will have been, for people: as many as something else knows of, or else by how far the walk has come among the accounts
 * of pixbooks, which have nearly all receipts and whose ids are spread evenly (`derivedUlid`). Null while nothing can be said.
 */
export const receiptsExpected = ({ keys, reached }: Reached, known: number | null): number | null => {
  if (known !== null) return Math.max(known, keys);
  const share = reached !== null && isPixbookKey(reached) ? shareOf(reached) : 0;
  return share < SMALLEST_SHARE ? null : Math.round(keys / share);
};

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const DIGITS = 6;

/** Where among all ULIDs the account of a pixbook's key lies, from 0 to 1. */
const shareOf = (key: string): number => {
  const digits = key.split('/')[2]?.slice('acc_'.length, 'acc_'.length + DIGITS) ?? '';
  let value = 0;
  for (const digit of digits.padEnd(DIGITS, '0')) value = value * 32 + Math.max(0, CROCKFORD.indexOf(digit));
  // The first digit of a ULID is 7 at most: 128 bits in 130.
  return Math.min(1, value / (8 * 32 ** (DIGITS - 1)));
};
