import { LRUCache } from 'lru-cache';
import { limits } from '../limits.ts';
import { type Head, headOf, nextPosition } from '../receipt/chain.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../receipt/ids.ts';
import { type KeyHistory, emptyKeyHistory, keyHistoryOf, keyRecordOf, learnKeys } from '../receipt/key-history.ts';
import { type ReadReceipt, readReceipt } from '../receipt/read.ts';
import { type StreamOf, accountStream } from '../receipt/stream.ts';
import { type ReceiptFault, verifyGenesis, verifyRead } from '../receipt/verify.ts';
import { type Result, err, ok } from '../result.ts';
import type { AccountState } from '../stream/account/evolve.ts';
import { emptyStream } from '../stream/fold.ts';
import { replayStep } from '../stream/replay-step.ts';
import { type StoredObject, type StoredReader, objectsFrom } from './stored-objects.ts';

/** An account as its receipts in the store give it, verified from the trust anchor on. `head` is null where there is no such account. */
export type ColdAccount = { readonly head: Head | null; readonly state: AccountState; readonly keys: KeyHistory };

/** Receipts that may still be read for one answer. */
export type Budget = { leftReceipts: number };

/** `too-far`: the budget is used up. `untrue`: an object is not the receipt that must be there. */
export type ColdFault = { readonly code: 'too-far' | 'untrue'; readonly detail: string };

/** As of now: what was read before is remembered, and read on. Throws `Outage`. */
export type ColdAccounts = (accountId: AccountId, budget: Budget) => Promise<Result<ColdAccount, ColdFault>>;

type Remembered = { head: Head | null; state: AccountState; readonly keys: KeyHistory };

/**
 * Accounts from the store alone: every receipt read strictly, its chain, signature and rules checked, genesis against `trust`. An account that
 * takes more receipts than one answer may cost is read further by the next.
 */
export const coldAccounts = (reader: StoredReader & { readonly trust: PublicKeyId }): ColdAccounts => {
  const remembered = new LRUCache<AccountId, Remembered>({ max: limits.rememberedColdAccounts });
  const underWay = new Map<AccountId, Promise<Result<ColdAccount, ColdFault>>>();

  const readOn = async (accountId: AccountId, budget: Budget): Promise<Result<ColdAccount, ColdFault>> => {
    const operator = accountId === OPERATOR_ACCOUNT_ID ? null : await at(OPERATOR_ACCOUNT_ID, budget);
    if (operator?.ok === false) return operator;
    const account: Remembered = remembered.get(accountId) ?? nothingRead(accountId);
    const stream = accountStream(accountId);
    const expected = account.head === null ? 4 : 1;
    for await (const object of objectsFrom(reader, stream, nextPosition(account.head), expected)) {
      if (budget.leftReceipts <= 0) return err({ code: 'too-far', detail: 'the streams are too long to be read for one answer' });
      budget.leftReceipts -= 1;
      const step = takeReceipt(account, stream, object, operator?.value.keys ?? account.keys, reader.trust);
      if (!step.ok) return step;
      remembered.set(accountId, account);
    }
    return ok({ ...account });
  };

  /** Two at once would both take the same receipts into one history: the second waits for the first and has its answer. */
  const at: ColdAccounts = (accountId, budget) => {
    const running = underWay.get(accountId);
    if (running !== undefined) return running;
    const reading = readOn(accountId, budget).finally(() => underWay.delete(accountId));
    underWay.set(accountId, reading);
    return reading;
  };
  return at;
};

const nothingRead = (accountId: AccountId): Remembered => {
  const empty = emptyStream(accountStream(accountId));
  if (empty.type !== 'account') throw new TypeError('an account’s stream holds an account');
  return { head: null, state: empty.state, keys: emptyKeyHistory() };
};

/** Takes the next receipt in; one that is not true leaves the account as it was. */
const takeReceipt = (
  account: Remembered,
  stream: StreamOf<'account'>,
  object: StoredObject,
  operatorKeys: KeyHistory,
  trust: PublicKeyId,
): Result<void, ColdFault> => {
  const untrue = ({ code }: { readonly code: string }) =>
    err({ code: 'untrue', detail: `${object.key}: ${code}` } as const satisfies ColdFault);
  const isFirst = account.head === null && stream.accountId === OPERATOR_ACCOUNT_ID;
  const verified = isFirst ? verifyFirst(account, object, trust) : verifyNext(account, object, operatorKeys);
  if (!verified.ok) return untrue(verified.error);
  const { read, keys } = verified.value;
  const step = replayStep({ type: 'account', state: account.state }, read.receipt, keys);
  if (!step.ok) return untrue(step.error);
  const learned = isFirst ? ok(undefined) : learnKeys(account.keys, read);
  if (!learned.ok) return untrue(learned.error);
  if (step.value.state.type !== 'account') throw new TypeError('an account’s stream holds an account');
  account.state = step.value.state.state;
  account.head = headOf(read);
  return ok(undefined);
};

type Verified = { readonly read: ReadReceipt; readonly keys: KeyHistory };

/** An account whose first receipt is refused is remembered by nobody, nor what its history has learned of it. */
const verifyFirst = (account: Remembered, { key, bytes }: StoredObject, trust: PublicKeyId): Result<Verified, ReceiptFault> => {
  const genesis = verifyGenesis(bytes, key, account.keys, trust);
  return genesis.ok ? ok({ read: genesis.value.genesis, keys: account.keys }) : genesis;
};

const verifyNext = (
  account: Remembered,
  { key, bytes }: StoredObject,
  operatorKeys: KeyHistory,
): Result<Verified, ReceiptFault> => {
  const read = readReceipt(bytes, key);
  if (!read.ok) return read;
  const { issuer } = read.value.receipt;
  const record = keyRecordOf(account.keys, issuer) ?? keyRecordOf(operatorKeys, issuer);
  const keys = keyHistoryOf(record === null ? [] : [record]);
  const verified = verifyRead(read.value, account.head, keys);
  return verified.ok ? ok({ read: verified.value, keys }) : verified;
};
