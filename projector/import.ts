import { systemClock } from '../src/port/clock.ts';
import type { ReceiptStore } from '../src/port/receipt-store.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import type { Result } from '../src/result.ts';
import { type CopyRefusal, type CopyReport, copyLedger } from './copy-ledger.ts';
import { layeredSource } from './layered-source.ts';
import type { FaultCode } from './ledger-fault.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import type { LedgerSource } from './source.ts';
import { storeSource } from './store-source.ts';

export type ImportOptions = {
  /** What an export wrote, or any other ledger. */
  readonly source: LedgerSource;
  readonly to: ReceiptStore;
  readonly trust: PublicKeyId | null;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/**
 * Puts exported receipts into a store: verified again first, from genesis on and together with what the store has, and then created where
 * they are missing. Receipts that are there already are left as they are; one whose key holds other bytes refuses the whole import before
 * anything is written, and so does another ledger's genesis. Cited receipts of others that are neither here nor there refuse nothing:
 * they may come with another import. The projection is not touched: `repair` applies what came. Throws `Outage`.
 */
export const importLedger = ({ source, to, ...options }: ImportOptions): Promise<Result<CopyReport, CopyRefusal>> =>
  copyLedger({
    ...options,
    source: layeredSource(source, storeSource(to)),
    to,
    below: null,
    judging: { nowMs: systemClock.now() },
    isGood,
  });

const MAY_COME_LATER: ReadonlySet<FaultCode> = new Set(['cited-missing', 'trade-unsettled']);

const isGood = ({ verdict, unverifiable, faults, faultCount }: LedgerReport): boolean =>
  verdict === 'valid' ||
  (unverifiable === 0 && faultCount === faults.length && faults.every(({ code }) => MAY_COME_LATER.has(code)));
