/**
 * What can be wrong with a receipt that is true in its own stream, seen together with what it cites in others. Codes are stable. All but
 * `cited-missing` and `trade-unsettled` mean that the receipt says what is not so; those two, that not everything is there (yet).
 */
export type DomainFault = {
  readonly code:
    | 'cited-missing' // a receipt it cites is not there
    | 'citation-mismatch' // what it cites is another receipt than it says, or none that a stream can have
    | 'drop-not-open' // the drop was not opened before the cited pool, or was closed by then
    | 'pack-size-wrong'
    | 'pool-stale' // the pool had changed, or the drop was closed, longer ago than the grace
    | 'draw-mismatch' // not the cards that the drop's seed draws, or none that can be drawn from the pool
    | 'claim-mismatch' // the claim is not for this pixbook, or the code not for this drop
    | 'claim-too-late' // the code was claimed when the drop was closed
    | 'drop-unknown' // the code is of no drop of its collection
    | 'card-unknown' // no such card in the catalogue
    | 'trade-mismatch' // the two halves of a trade do not say the same
    | 'trade-unsettled'; // accepted, and long after not settled in the partner's pixbook
  /** For people; quotes nothing but ids. */
  readonly detail: string;
};

export type DomainFaultCode = DomainFault['code'];

export const domainFault = (code: DomainFaultCode, detail: string): DomainFault => ({ code, detail });
