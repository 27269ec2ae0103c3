import type { ReceiptStore } from '../src/port/receipt-store.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { accountStream } from '../src/receipt/stream.ts';
import { type Result, err } from '../src/result.ts';
import { type CopyRefusal, type CopyReport, copyLedger } from './copy-ledger.ts';
import { citedBesides } from './export-cited.ts';
import type { Progress } from './ledger-report.ts';
import type { LedgerSource } from './source.ts';

export type ExportOptions = {
  readonly source: LedgerSource;
  readonly accountId: AccountId;
  readonly to: ReceiptStore;
  readonly trust: PublicKeyId | null;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

export type ExportRefusal = CopyRefusal | { readonly code: 'account-missing'; readonly detail: string };

/**
 * Copies a tenant's receipts to a directory: its account's stream, its pixbooks, the operator's stream, and what they rest on (see
 * `citedBesides`), so that the copy can be verified alone. The bytes and the layout are the ledger's own. Streams at fault, and keys of the
 * target that are taken by something else, refuse it before anything is written; a fault between streams does not, for the copy is
 * evidence of it. Throws `Outage`.
 */
export const exportAccount = async ({ accountId, ...options }: ExportOptions): Promise<Result<CopyReport, ExportRefusal>> => {
  const { source } = options;
  const [first] = await source.readMany([keyAt(accountStream(accountId), 0)]);
  if (!first) return err({ code: 'account-missing', detail: `there is no account ${accountId} in ${source.description}` });
  const below = accountId === OPERATOR_ACCOUNT_ID ? prefixOf(accountStream(accountId)) : `pixpax/pixbooks/${accountId}`;
  const isGood = ({ verdict }: CopyReport['ledger']): boolean => verdict === 'valid';
  return copyLedger({ ...options, below, judging: null, isGood, besides: () => citedBesides(source, accountId) });
};
