import { systemClock } from '../src/port/clock.ts';
import type { ReceiptStore } from '../src/port/receipt-store.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { type Result, err, ok } from '../src/result.ts';
import { type Copied, copyWork } from './copy-receipts.ts';
import { type Judging, type ReplayWork, laneHere } from './lane.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import { replayLedger } from './replay.ts';
import type { LedgerSource } from './source.ts';
import type { CheckedReceipt } from './stream-check.ts';

export type CopyReport = { readonly ledger: LedgerReport; readonly copied: Copied };

export type CopyRefusal =
  | { readonly code: 'ledger-not-valid'; readonly ledger: LedgerReport }
  /** Keys under which the target holds other bytes. */
  | { readonly code: 'keys-taken'; readonly keys: readonly string[] };

/** What is copied besides, because receipts rest on it. */
export type Besides = {
  readonly take: (checked: CheckedReceipt) => void;
  /** Prefixes of streams that go with what was taken. */
  readonly streams: () => Iterable<string>;
  /** Single objects that do. Throws `Outage`. */
  readonly objects: () => Promise<readonly { readonly key: string; readonly bytes: Uint8Array }[]>;
};

export type CopyOptions = {
  readonly source: LedgerSource;
  readonly to: ReceiptStore;
  readonly trust: PublicKeyId | null;
  readonly below: string | null;
  readonly judging: Judging | null;
  /** Whether what was read is good enough to be copied. */
  readonly isGood: (ledger: LedgerReport) => boolean;
  /** Made anew for each pass. */
  readonly besides?: (() => Besides) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/**
 * Copies what is below a place, and what it rests on, to another store. Two passes: the first verifies everything and looks for keys that
 * are taken, the second writes. Throws `Outage`.
 */
export const copyLedger = async (options: CopyOptions): Promise<Result<CopyReport, CopyRefusal>> => {
  const looked = await pass(options, false);
  return looked.ok ? pass(options, true) : looked;
};

const pass = async (
  { source, to, trust, below, judging, isGood, besides, onProgress }: CopyOptions,
  write: boolean,
): Promise<Result<CopyReport, CopyRefusal>> => {
  const { work, put, copied } = copyWork(to, systemClock, write);
  const beside = besides?.();
  const lane = laneHere(source, trust, beside === undefined ? work : alsoTaking(work, beside), judging);
  const ledger = await replayLedger({
    source,
    lanes: [lane],
    pinned: trust !== null,
    below,
    further: beside?.streams,
    onProgress,
  });
  if (!isGood(ledger)) return err({ code: 'ledger-not-valid', ledger });
  for (const { key, bytes } of (await beside?.objects()) ?? []) await put(key, bytes);
  const { taken } = copied();
  return taken.length > 0 ? err({ code: 'keys-taken', keys: taken }) : ok({ ledger, copied: copied() });
};

const alsoTaking = (work: ReplayWork, { take }: Besides): ReplayWork => ({
  ...work,
  begin: (stream) => {
    const todo = work.begin(stream);
    return {
      receipt: (checked) => {
        take(checked);
        return todo?.receipt(checked);
      },
      end: (report) => todo?.end(report),
    };
  },
});
