import { type AccountId, OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../src/receipt/ids.ts';
import { emptyKeyHistory } from '../src/receipt/key-history.ts';
import { prefixOf } from '../src/receipt/key-path.ts';
import { accountStream } from '../src/receipt/stream.ts';
import { type Result, err, ok } from '../src/result.ts';
import { type PlainKeyRecord, addRecords, plainRecordsOf } from './key-records.ts';
import { type LedgerFault, missing } from './ledger-fault.ts';
import { replayStream } from './replay-stream.ts';
import type { LedgerSource } from './source.ts';
import { openCheck } from './stream-check.ts';

export type UntrueAccount = { readonly accountId: AccountId; readonly faults: readonly LedgerFault[] };

/**
 * The keys that the operator's stream and the streams of these accounts introduce, read and checked here and now. Errors: the first account
 * whose stream is not whole; a missing stream is the fault `missing` at its first key. Throws `Outage`.
 */
export const readKeys = async (
  source: LedgerSource,
  trust: PublicKeyId | null,
  accountIds: readonly AccountId[],
): Promise<Result<readonly PlainKeyRecord[], UntrueAccount>> => {
  const history = emptyKeyHistory();
  const records: PlainKeyRecord[] = [];
  for (const accountId of [OPERATOR_ACCOUNT_ID, ...accountIds.filter((id) => id !== OPERATOR_ACCOUNT_ID)]) {
    const prefix = prefixOf(accountStream(accountId));
    const check = openCheck(accountStream(accountId), history, trust);
    const report = await replayStream(source, { prefix, keys: null }, check, {
      askForKeys: async () => {
        if (accountId === OPERATOR_ACCOUNT_ID) return 'final';
        const again = await readKeys(source, trust, []);
        if (!again.ok) return 'untrue';
        addRecords(history, again.value);
        return 'again';
      },
    });
    if (!report.whole) return err({ accountId, faults: report.faults });
    if (report.receipts === 0)
      return err({ accountId, faults: [missing(prefix, 0, 0, 'the stream of this account is not there')] });
    records.push(...plainRecordsOf(history, accountId));
  }
  return ok(records);
};
