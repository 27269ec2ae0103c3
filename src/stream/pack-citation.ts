import { limits } from '../limits.ts';
import { type BookId, type CollectionId, type DropId, type Instant, epochMsOf } from '../receipt/ids.ts';
import { positionOf } from '../receipt/key-path.ts';
import type { StreamOf } from '../receipt/stream.ts';
import type { Witness } from './citation.ts';
import { drawPack } from './collection/draw.ts';
import { type CollectionHistory, type DropHistory, type Pool, poolAt } from './collection/history.ts';
import { type DomainFault, domainFault } from './domain-fault.ts';
import type { Instance, PixbookPayload } from './pixbook/event.ts';

type Pack = PixbookPayload<'PACK_ISSUED'>;

/** A pack where it was issued. `claimedAt`: of a code pack, when the code was claimed. */
export type IssuedPack = {
  readonly bookId: BookId;
  readonly at: Instant;
  readonly pack: Pack;
  readonly claimedAt: Instant | null;
};

/**
 * What is wrong with a pack, seen together with its collection (domain rules 5 to 7), or null. `cited-missing` when the history ends before
 * the pool that the pack cites. As long as the drop is open its seed is not known: then only what no seed could draw is told.
 */
export const packFault = (history: CollectionHistory, issued: IssuedPack): DomainFault | null => {
  const { pack, claimedAt } = issued;
  const position = positionOf(pack.pool.eventId);
  const missing = poolCitationFault(history, position, pack);
  if (missing !== null) return missing;
  const drop = history.drops.get(pack.dropId);
  const { pool, next } = poolAt(history, position);
  if (drop === undefined || pool === null || drop.opened > position)
    return domainFault('drop-not-open', `${pack.dropId} is no drop that was open at the pool it cites`);
  const { closed } = drop;
  if (claimedAt === null && closed !== null && closed.position <= position)
    return domainFault('drop-not-open', `${pack.dropId} was closed when the pool it cites was read`);
  if (claimedAt !== null && closed !== null && isOlder(closed.at, claimedAt))
    return domainFault('claim-too-late', `${pack.dropId} was closed at ${closed.at}, before the code was claimed`);
  if (pack.cards.length !== drop.packSize)
    return domainFault('pack-size-wrong', `it holds ${pack.cards.length} cards, and the drop's packs ${drop.packSize}`);
  return staleness(issued, next, closed) ?? drawFault(issued, pool, drop);
};

const poolCitationFault = ({ places }: CollectionHistory, position: number, { pool }: Pack): DomainFault | null => {
  const cited = places[position];
  if (cited === undefined && position >= places.length)
    return domainFault('cited-missing', `the pool it cites, ${pool.eventId}, is not in its collection's stream`);
  return cited?.eventId === pool.eventId && cited.hash === pool.hash
    ? null
    : domainFault(
        'citation-mismatch',
        `the pool it cites, ${pool.eventId}, is not a receipt of its collection's stream with that hash`,
      );
};

/** Nobody can choose among pools of the past: whatever changed the pool, or closed the drop, must be no older than appends in flight explain. */
const staleness = ({ at, claimedAt }: IssuedPack, next: Pool | null, closed: DropHistory['closed']): DomainFault | null => {
  if (next !== null && isOlder(next.at, at)) return domainFault('pool-stale', `the pool had been another one since ${next.at}`);
  // Who claimed in time gets the pack whenever it comes.
  return claimedAt === null && closed !== null && isOlder(closed.at, at)
    ? domainFault('pool-stale', `the drop had been closed since ${closed.at}`)
    : null;
};

const drawFault = ({ bookId, pack }: IssuedPack, { cards }: Pool, { packSize, closed }: DropHistory): DomainFault | null => {
  const { packId } = pack;
  const issued = pack.cards.map(({ cardId }) => cardId);
  if (cards.length < packSize) return domainFault('draw-mismatch', 'there were fewer cards to draw from than a pack holds');
  const stranger = issued.find((cardId) => !cards.includes(cardId));
  if (stranger !== undefined) return domainFault('draw-mismatch', `${stranger} was not in the pool`);
  if (closed === null) return null;
  const drawn = drawPack(cards, { seed: closed.seed, bookId, packId, packSize });
  const slot = drawn.findIndex((cardId, k) => cardId !== issued[k]);
  return slot < 0
    ? null
    : domainFault('draw-mismatch', `slot ${slot} holds ${issued[slot]}; the drop's seed draws ${drawn[slot]}`);
};

/** Whether the first instant is before the second by more than clocks and appends in flight explain. */
const isOlder = (first: Instant, second: Instant): boolean => epochMsOf(first) < epochMsOf(second) - limits.keyGraceMs;

/** The position that the one claim of a code can have: the code is created at 0. */
const CLAIM_POSITION = 1;

/**
 * What is wrong with the claim that a code's pack cites (domain rule 5), or null. `claimed` is the receipt that is cited, `created` the
 * first of the code's stream.
 */
export const claimFault = (
  { accountId, bookId }: StreamOf<'pixbook'>,
  collectionId: CollectionId,
  { dropId }: Pack,
  { claimed, created }: { readonly claimed: Witness; readonly created: Witness },
): DomainFault | null => {
  const wrong = (detail: string): DomainFault => domainFault('claim-mismatch', detail);
  if (claimed.position !== CLAIM_POSITION || claimed.event.type !== 'CODE_CLAIMED')
    return wrong('what it cites is no claim of the code');
  const claim = claimed.event.payload;
  if (claim.bookId !== bookId || claim.accountId !== accountId) return wrong('the code was claimed for another pixbook');
  if (created.event.type !== 'CODE_CREATED' || created.place.hash !== claimed.prevHash) return wrong('the code was not created');
  const worth = created.event.payload;
  return worth.collectionId === collectionId && worth.dropId === dropId
    ? null
    : wrong('the code is worth a pack of another drop');
};

/** What is wrong with cards that an issuer added (domain rule 3), or null. */
export const grantFault = (history: CollectionHistory, added: readonly Instance[]): DomainFault | null => {
  const stranger = added.find(({ cardId }) => !history.cards.has(cardId));
  return stranger === undefined
    ? null
    : (absence(history) ?? domainFault('card-unknown', `the collection has no card ${stranger.cardId}`));
};

/** What is wrong with a code that was made for a drop, or null. */
export const codeFault = (history: CollectionHistory, dropId: DropId): DomainFault | null =>
  history.drops.has(dropId) ? null : (absence(history) ?? domainFault('drop-unknown', `its collection has no drop ${dropId}`));

/** Of a collection without receipts nothing can be said but that it is not there. */
const absence = ({ places }: CollectionHistory): DomainFault | null =>
  places.length === 0 ? domainFault('cited-missing', 'the stream of its collection is not there') : null;
