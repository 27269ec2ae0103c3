import { type AccountId, OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../src/receipt/ids.ts';
import { type KeyHistory, emptyKeyHistory } from '../src/receipt/key-history.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { readKeys } from './account-keys.ts';
import { type PlainKeyRecord, addRecords, historyOf } from './key-records.ts';
import type { LedgerFault } from './ledger-fault.ts';
import type { KeyNews } from './replay-stream.ts';
import type { LedgerSource } from './source.ts';

/** What one thread knows of the streams that all others rest on. */
export type Known = {
  readonly source: LedgerSource;
  readonly history: KeyHistory;
  /** Faults that were met in streams while others were read, to be told with the next report. */
  readonly found: LedgerFault[];
  /** Accounts whose stream is at fault: nothing can be said of a signature that is not in order there. */
  readonly untrue: Set<AccountId>;
  operatorKeys: readonly PlainKeyRecord[];
  trust: PublicKeyId | null;
  /** Signatures that were verified of what is cited, since it was last asked. */
  signatures: number;
};

export const nothingKnown = (source: LedgerSource, trust: PublicKeyId | null): Known => ({
  source,
  history: emptyKeyHistory(),
  found: [],
  untrue: new Set(),
  operatorKeys: [],
  trust,
  signatures: 0,
});

/** The keys that may have signed in a stream. An account's stream brings its own. */
export const keysFor = (known: Known, stream: Stream): KeyHistory => {
  if (stream.type !== 'account') return known.history;
  return stream.accountId === OPERATOR_ACCOUNT_ID ? emptyKeyHistory() : historyOf(known.operatorKeys);
};

/**
 * Looks again at the operator's stream and those of these accounts: they may have grown since they were read, or not have been read at all.
 * What they teach goes into `keys`; faults in them are theirs, and told so.
 */
export const newsOf = async (known: Known, accountIds: readonly AccountId[], keys: KeyHistory): Promise<KeyNews> => {
  if ([OPERATOR_ACCOUNT_ID, ...accountIds].some((accountId) => known.untrue.has(accountId))) return 'untrue';
  const read = await readKeys(known.source, known.trust, accountIds);
  if (read.ok) {
    addRecords(keys, read.value);
    return 'again';
  }
  known.untrue.add(read.error.accountId);
  known.found.push(...read.error.faults);
  return 'untrue';
};
