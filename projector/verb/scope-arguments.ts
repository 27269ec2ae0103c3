import { parseAccountId } from '../../src/receipt/ids.ts';
import { type LedgerScope, scopeBelow, scopeOfAccount } from '../ledger-scope.ts';
import { type VerbArguments, WrongUse } from './verb.ts';

export const SCOPE_ARGUMENTS = {
  stream: { type: 'string', valueHint: 'pixpax/…', description: 'only the streams at or below this prefix' },
  account: { type: 'string', valueHint: 'acc_…', description: 'only an account’s stream and those of its pixbooks' },
} as const;

/** The streams that were asked for; null for all. Whether there are any is for the run to find. Throws `WrongUse`. */
export const scopeOf = ({ stream = null, account = null }: VerbArguments): LedgerScope | null => {
  if (stream !== null && account !== null) throw new WrongUse('--stream and --account: give one of them');
  if (account !== null) {
    const accountId = parseAccountId(account);
    if (!accountId.ok) throw new WrongUse(`--account takes an account such as acc_…: ${accountId.error.expected}`);
    return scopeOfAccount(accountId.value);
  }
  if (stream === null) return null;
  const prefix = stream.replace(/\/+$/, '');
  if (!/^pixpax(?:\/[^/]+){0,3}$/.test(prefix))
    throw new WrongUse(`--stream takes a prefix such as pixpax/accounts/acc_…, not ${stream}`);
  return scopeBelow(prefix);
};
