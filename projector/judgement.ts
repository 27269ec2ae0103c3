import type { AccountId, CollectionId } from '../src/receipt/ids.ts';
import type { Stream } from '../src/receipt/stream.ts';
import type { Witness } from '../src/stream/citation.ts';
import type { CollectionHistory } from '../src/stream/collection/history.ts';
import type { DomainFault } from '../src/stream/domain-fault.ts';

/**
 * What came of looking at a receipt together with what it cites: nothing wrong (null), a fault of its own, or that nothing can be said
 * because what it cites is itself at fault, which is told there.
 */
export type Judgement = DomainFault | 'unverifiable' | null;

/** How receipts of other streams are seen. Throws `Outage`. */
export type Sight = {
  /**
   * One receipt, whose signature is true; `untrue` when there is something else under its key. `near` is the account of who looks: besides the
   * stream's own account and the operator's, one of its identities may have signed.
   */
  readonly receipt: (stream: Stream, position: number, near: AccountId) => Promise<Witness | 'missing' | 'untrue'>;
  /** A collection as far as it is known; `again`: together with what has come since. `whole`: to its end, all of it true. */
  readonly collection: (
    collectionId: CollectionId,
    again: boolean,
  ) => Promise<{ readonly history: CollectionHistory; readonly whole: boolean }>;
};
