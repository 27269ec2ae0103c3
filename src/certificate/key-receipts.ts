import { type AccountId, type IdentityId, OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID } from '../receipt/ids.ts';
import { isGenesis } from '../receipt/key-history.ts';
import { accountStream } from '../receipt/stream.ts';
import { type FoundReceipt, type ReceiptReader, receiptsFrom } from './receipt-reader.ts';

/**
 * The receipts that introduced, rotated and ended the keys of these identities and of the operator, genesis first, and no others of their
 * accounts' streams: who else belongs to an account is nobody's business. Reads those streams to their ends. Throws `Outage`.
 */
export const keyReceipts = async (
  reader: ReceiptReader,
  accountIds: Iterable<AccountId>,
  identityIds: ReadonlySet<IdentityId>,
): Promise<readonly FoundReceipt[]> => {
  const others = [...new Set(accountIds)].filter((accountId) => accountId !== OPERATOR_ACCOUNT_ID);
  const found: FoundReceipt[] = [];
  for (const accountId of [OPERATOR_ACCOUNT_ID, ...others])
    for await (const receipt of receiptsFrom(reader, accountStream(accountId), 0))
      if (isAboutKeyOf(receipt, identityIds)) found.push(receipt);
  return found;
};

const isAboutKeyOf = ({ read, event }: FoundReceipt, identityIds: ReadonlySet<IdentityId>): boolean => {
  if (isGenesis(read.receipt, read.position)) return true;
  switch (event.type) {
    case 'IDENTITY_CREATED':
    case 'IDENTITY_KEY_ROTATED':
    case 'IDENTITY_REVOKED':
      return event.payload.identityId === OPERATOR_IDENTITY_ID || identityIds.has(event.payload.identityId);
    default:
      return false;
  }
};
