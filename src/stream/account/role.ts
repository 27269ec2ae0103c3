import { type AccountId, OPERATOR_ACCOUNT_ID } from '../../receipt/ids.ts';
import type { Role } from './event.ts';

/** Whose members keep the account, and are never wholly gone. */
export const topRoleIn = (accountId: AccountId): Role => (accountId === OPERATOR_ACCOUNT_ID ? 'operator' : 'owner');

/** `operator` and `issuer` exist in `acc_operator` only; the others everywhere else. */
export const roleFits = (accountId: AccountId, role: Role): boolean =>
  (role === 'operator' || role === 'issuer') === (accountId === OPERATOR_ACCOUNT_ID);
