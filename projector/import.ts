import type { ReceiptStore } from '../src/port/receipt-store.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import type { Result } from '../src/result.ts';
import { type CopyRefusal, type CopyReport, copyLedger } from './copy-ledger.ts';
import type { Progress } from './ledger-report.ts';
import type { LedgerSource } from './source.ts';

export type ImportOptions = {
  /** What an export wrote, or any other ledger. */
  readonly source: LedgerSource;
  readonly to: ReceiptStore;
  readonly trust: PublicKeyId | null;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/**
 * Puts exported receipts into a store: verified again first, from genesis on, and then created where they are missing. Receipts that are
 * there already are left as they are; one whose key holds other bytes refuses the whole import before anything is written, and so
 * does another ledger's genesis. The projection is not touched: `repair` applies what came. Throws `Outage`.
 */
export const importLedger = (options: ImportOptions): Promise<Result<CopyReport, CopyRefusal>> =>
  copyLedger({ ...options, below: null });
