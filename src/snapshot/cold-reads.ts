import { limits } from '../limits.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, type PublicKeyId } from '../receipt/ids.ts';
import { type KeyRecord, keyRecordOf } from '../receipt/key-history.ts';
import type { StreamOf } from '../receipt/stream.ts';
import { ok } from '../result.ts';
import type { AccountState } from '../stream/account/evolve.ts';
import type { BookAt } from './book-at.ts';
import { type Budget, type ColdAccount, coldAccounts } from './cold-accounts.ts';
import { type Signers, foldOn } from './cold-book.ts';
import { type SnapshotFault, openSnapshot } from './open-snapshot.ts';
import type { StoredReader } from './stored-objects.ts';

/**
 * What came of looking for a snapshot or going on from it. `tail-untrue`: what lies behind it does not follow from it. `read-untrue`, `read-too-far`:
 * there was no answer from the store alone.
 */
export type ColdOutcome = 'used' | SnapshotFault['code'] | 'tail-untrue' | 'read-untrue' | 'read-too-far';

/** Those that are nobody's fault: there is no snapshot, or it waits to be made again, or the book is long. */
export const isOrdinary = (outcome: ColdOutcome): boolean => ORDINARY.has(outcome);

const ORDINARY: ReadonlySet<ColdOutcome> = new Set(['used', 'absent', 'other-version', 'key-not-current', 'read-too-far']);

/** One answer from the store alone: what it may cost is bounded by `limits.coldReadReceipts`. All throw `Outage`. */
export type ColdReading = {
  /** The account, or null when there is none, or it cannot be told. */
  account(accountId: AccountId): Promise<AccountState | null>;
  /** The pixbook as of its last receipt, or null when there is none, or it cannot be told. */
  book(stream: StreamOf<'pixbook'>): Promise<BookAt | null>;
};

/** Reads that need the store and the trust anchor, and no projection. They write nothing. */
export type ColdReads = {
  /** A snapshot that may be gone by, or null. Never throws `Outage`. */
  snapshot(stream: StreamOf<'pixbook'>): Promise<BookAt | null>;
  begin(): ColdReading;
};

export type ColdParts = StoredReader & {
  readonly trust: PublicKeyId;
  /** Told of every look at a snapshot, for counting. */
  readonly noted: (outcome: ColdOutcome, stream: StreamOf<'pixbook'>) => void;
};

export const coldReads = (parts: ColdParts): ColdReads => {
  const accountAt = coldAccounts(parts);

  const operatorKey = async (budget: Budget): Promise<KeyRecord | null> => {
    const operator = await accountAt(OPERATOR_ACCOUNT_ID, budget);
    return operator.ok ? currentKeyOf(operator.value) : null;
  };
  const snapshotWithin = async (stream: StreamOf<'pixbook'>, budget: Budget): Promise<BookAt | null> => {
    const opened = await openSnapshot(parts, stream, () => operatorKey(budget));
    parts.noted(opened.ok ? 'used' : opened.error.code, stream);
    return opened.ok ? opened.value : null;
  };

  const begin = (): ColdReading => {
    const budget = newBudget();
    const signersOf = (): Signers => {
      const seen = new Map<AccountId, ColdAccount>();
      return async (accountId, again) => {
        const known = again ? undefined : seen.get(accountId);
        if (known !== undefined) return ok(known.keys);
        const account = await accountAt(accountId, budget);
        if (!account.ok) return account;
        seen.set(accountId, account.value);
        return ok(account.value.keys);
      };
    };
    return {
      account: async (accountId) => {
        const account = await accountAt(accountId, budget);
        return account.ok && account.value.head !== null ? account.value.state : null;
      },
      book: async (stream) => {
        const signers = signersOf();
        const snapshot = await snapshotWithin(stream, budget);
        if (snapshot !== null) {
          const book = await foldOn(parts, stream, snapshot, signers, budget);
          if (book.ok) return book.value;
          if (book.error.code === 'untrue') parts.noted('tail-untrue', stream);
        }
        const book = await foldOn(parts, stream, null, signers, budget);
        if (book.ok) return book.value;
        parts.noted(book.error.code === 'untrue' ? 'read-untrue' : 'read-too-far', stream);
        return null;
      },
    };
  };
  return { begin, snapshot: (stream) => snapshotWithin(stream, newBudget()) };
};

const newBudget = (): Budget => ({ leftReceipts: limits.coldReadReceipts });

/** The key with which the operator signs now, or null when it has none. */
const currentKeyOf = ({ keys }: ColdAccount): KeyRecord | null => {
  const publicKeyId = keys.current.get(OPERATOR_IDENTITY_ID);
  return publicKeyId === undefined ? null : keyRecordOf(keys, { identityId: OPERATOR_IDENTITY_ID, publicKeyId });
};
