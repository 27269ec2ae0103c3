import type { Clock } from '../port/clock.ts';
import type { Notify } from '../port/notice.ts';
import type { ReadModel } from '../port/read-model.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import type { Sealer } from '../port/sealer.ts';
import type { Signer } from '../port/signer.ts';
import type { PublicKeyId } from '../receipt/ids.ts';

/** What the write path stands on. */
export type CommandPorts = {
  readonly store: ReceiptStore;
  readonly signer: Signer;
  readonly sealer: Sealer;
  readonly readModel: ReadModel;
  readonly clock: Clock;
  readonly notify: Notify;
  /** Fingerprint of the operator's first key: the trust anchor of this ledger. */
  readonly trust: PublicKeyId;
};
