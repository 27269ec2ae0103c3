import { systemClock } from '../src/port/clock.ts';
import type { ReceiptStore } from '../src/port/receipt-store.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { type Result, err, ok } from '../src/result.ts';
import { type Copied, copyWork } from './copy-receipts.ts';
import { laneHere } from './lane.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import { replayLedger } from './replay.ts';
import type { LedgerSource } from './source.ts';

export type CopyReport = { readonly ledger: LedgerReport; readonly copied: Copied };

export type CopyRefusal =
  | { readonly code: 'ledger-not-valid'; readonly ledger: LedgerReport }
  /** Keys under which the target holds other bytes. */
  | { readonly code: 'keys-taken'; readonly keys: readonly string[] };

export type CopyOptions = {
  readonly source: LedgerSource;
  readonly to: ReceiptStore;
  readonly trust: PublicKeyId | null;
  readonly below: string | null;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/**
 * Copies what is below a place, and what it rests on, to another store. Two passes: the first verifies everything and looks for keys that
 * are taken, the second writes. Throws `Outage`.
 */
export const copyLedger = async ({
  source,
  to,
  trust,
  below,
  onProgress,
}: CopyOptions): Promise<Result<CopyReport, CopyRefusal>> => {
  const pass = async (write: boolean): Promise<Result<CopyReport, CopyRefusal>> => {
    const { work, copied } = copyWork(to, systemClock, write);
    const lanes = [laneHere(source, trust, work)];
    const ledger = await replayLedger({ source, lanes, pinned: trust !== null, below, onProgress });
    if (ledger.verdict !== 'valid') return err({ code: 'ledger-not-valid', ledger });
    const { taken } = copied();
    return taken.length > 0 ? err({ code: 'keys-taken', keys: taken }) : ok({ ledger, copied: copied() });
  };
  const looked = await pass(false);
  return looked.ok ? pass(true) : looked;
};
