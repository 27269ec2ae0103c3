import { headOf } from '../receipt/chain.ts';
import { keyAt } from '../receipt/key-path.ts';
import type { Stream } from '../receipt/stream.ts';
import { verifyRead } from '../receipt/verify.ts';
import type { Witness } from '../stream/citation.ts';
import type { DomainFault } from '../stream/domain-fault.ts';
import type { LedgerEvent } from '../stream/event.ts';
import { type StreamState, emptyStream } from '../stream/fold.ts';
import type { Place } from '../stream/here.ts';
import { withCopies } from '../stream/pixbook/copies.ts';
import type { Instance } from '../stream/pixbook/event.ts';
import type { LivePixbook } from '../stream/pixbook/state.ts';
import { replayStep } from '../stream/replay-step.ts';
import type { CertificateFault } from './certificate.ts';
import type { Evidence, Proof } from './evidence.ts';

/** Ends the telling at once; caught where it began. */
export class Untold extends Error {
  readonly fault: CertificateFault;

  constructor(code: CertificateFault['code'], detail: string, key: string | null) {
    super(detail);
    this.fault = { code, detail, key };
  }
}

/** A proof of one kind of event. */
export type ProofOf<T extends LedgerEvent['type']> = Proof & { readonly event: Extract<LedgerEvent, { type: T }> };

/**
 * A certificate's receipts as they are told one after another: each once, and none is left over. All throw `Untold` when a receipt is not
 * there or does not fit.
 */
export type Telling = {
  /** The receipt at a place. */
  readonly there: (stream: Stream, position: number) => Proof;
  /** The same, of a type. */
  readonly at: <T extends LedgerEvent['type']>(stream: Stream, position: number, type: T) => ProofOf<T>;
  /** The first that fits; null when there is none. */
  readonly any: <T extends LedgerEvent['type']>(type: T, fits: (proof: ProofOf<T>) => boolean) => ProofOf<T> | null;
  /** The state after a receipt that follows a state, as the rules of its stream have it. */
  readonly step: (before: StreamState, proof: Proof) => StreamState;
  /** As `step`, for a receipt whose predecessor (null: none) was told too. */
  readonly next: (before: StreamState, proof: Proof, previous: Proof | null) => StreamState;
  readonly end: () => void;
};

export const openTelling = ({ proofs, keys }: Evidence): Telling => {
  const untold = new Map(proofs.map((proof) => [proof.key, proof]));
  const there: Telling['there'] = (stream, position) => {
    const key = keyAt(stream, position);
    const proof = untold.get(key);
    if (proof === undefined) throw new Untold('receipt-missing', 'a receipt that it rests on is not in it', key);
    untold.delete(key);
    return proof;
  };
  const step: Telling['step'] = (before, { key, read }) => {
    const after = replayStep(before, read.receipt, keys);
    if (!after.ok) throw new Untold(after.error.code, after.error.detail, key);
    return after.value.state;
  };
  return {
    there,
    at: (stream, position, type) => {
      const proof = there(stream, position);
      if (!isProofOf(proof, type)) throw new Untold('citation-mismatch', `it is no ${type}`, proof.key);
      return proof;
    },
    any: (type, fits) => {
      for (const proof of untold.values()) {
        if (!isProofOf(proof, type) || !fits(proof)) continue;
        untold.delete(proof.key);
        return proof;
      }
      return null;
    },
    step,
    next: (before, proof, previous) => {
      const linked = verifyRead(proof.read, previous === null ? null : headOf(previous.read), keys);
      if (!linked.ok) throw new Untold(linked.error.code, linked.error.detail, proof.key);
      return step(before, proof);
    },
    end: () => {
      for (const key of untold.keys()) throw new Untold('receipt-unneeded', 'it proves nothing here', key);
    },
  };
};

const isProofOf = <T extends LedgerEvent['type']>(proof: Proof, type: T): proof is ProofOf<T> => proof.event.type === type;

/** A pixbook as its creation leaves it, and with copies that are taken for granted: where they came from, others have to tell. */
export const bookHolding = (telling: Telling, created: ProofOf<'PIXBOOK_CREATED'>, copies: readonly Instance[]): StreamState => {
  const after = telling.next(emptyStream(created.read.receipt.stream), created, null);
  const live = liveIn(after);
  return { type: 'pixbook', state: { ...live, cards: withCopies(live.cards, copies, null) } };
};

export const liveIn = (state: StreamState): LivePixbook => {
  if (state.type !== 'pixbook' || state.state.status === 'absent') throw new TypeError('not a pixbook that was created');
  return state.state;
};

export const placeOf = ({ read: { receipt } }: Proof): Place => ({
  eventId: receipt.eventId,
  hash: receipt.hash,
  at: receipt.createdAt,
});

export const witnessOf = (proof: Proof): Witness => ({
  stream: proof.read.receipt.stream,
  position: proof.read.position,
  place: placeOf(proof),
  prevHash: proof.read.receipt.prevHash,
  event: proof.event,
});

/** Throws `Untold` when there is a fault between a receipt and what it cites. */
export const demandFit = (fault: DomainFault | null, { key }: Proof): void => {
  if (fault !== null) throw new Untold(fault.code, fault.detail, key);
};
