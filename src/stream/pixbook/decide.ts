import { limits } from '../../limits.ts';
import { canonicalBytes } from '../../receipt/canonical.ts';
import { type Result, ok } from '../../result.ts';
import type { Here } from '../here.ts';
import type { Refusal } from '../refusal.ts';
import { type CardRefusal, decideCards } from './card-rules.ts';
import type { PixbookCommand } from './command.ts';
import type { PixbookEvent } from './event.ts';
import { bookAfter, openTradesOf } from './lifecycle.ts';
import { type OfferRefusal, decideOffer } from './offer-rules.ts';
import { type PackRefusal, decidePack } from './pack-rules.ts';
import { type ReservationRefusal, decideReservation } from './reservation-rules.ts';
import type { LivePixbook, PixbookState } from './state.ts';
import { refuse } from './verdict.ts';

export type PixbookRefusal =
  | Refusal<
      | 'pixbook-exists'
      | 'pixbook-missing'
      | 'pixbook-closed'
      | 'stale-base'
      | 'state-too-large'
      | 'too-many-pixbooks'
      | 'trade-pending' // a book with open trades cannot be closed
    >
  | PackRefusal
  | CardRefusal
  | OfferRefusal
  | ReservationRefusal;

type Decision = Result<PixbookEvent, PixbookRefusal>;

/**
 * The event a command leads to, or why not. Pure. Looks up nothing but what the command's concerns name. Throws when what was looked up for
 * it cannot be: those are bugs of the caller.
 */
export const decidePixbook = (state: PixbookState, command: PixbookCommand, here: Here): Decision => {
  if (command.type === 'create-pixbook') return create(state, command);
  if (state.status === 'absent') return refuse('pixbook-missing', 'there is no such pixbook');
  if (bookAfter(state.status, command.type === 'close' ? 'PIXBOOK_CLOSED' : 'anything else') === null)
    return refuse('pixbook-closed', 'the pixbook is closed; its history stays readable');
  switch (command.type) {
    case 'save':
      return save(state, command);
    case 'close':
      return openTradesOf(state) > 0
        ? refuse('trade-pending', 'the pixbook has open trades; cancel them, or wait for their end, and close it then')
        : ok({ type: 'PIXBOOK_CLOSED', payload: {} });
    case 'issue-pack':
    case 'open-pack':
      return decidePack(state, command);
    case 'add-cards':
    case 'remove-cards':
      return decideCards(state, command, here);
    case 'reserve-trade':
    case 'settle-trade':
    case 'release-trade':
      return decideReservation(state, command, here);
    default:
      return decideOffer(state, command, here);
  }
};

const create = (
  state: PixbookState,
  { identityId, collectionId, generation }: Extract<PixbookCommand, { type: 'create-pixbook' }>,
): Decision => {
  if (bookAfter(state.status, 'PIXBOOK_CREATED') === null)
    return refuse('pixbook-exists', 'the identity has an open pixbook of this collection');
  if (generation > limits.pixbookGenerations)
    return refuse('too-many-pixbooks', `an identity has at most ${limits.pixbookGenerations} pixbooks of one collection`);
  return ok({ type: 'PIXBOOK_CREATED', payload: { identityId, collectionId, generation } });
};

const save = ({ head }: LivePixbook, { state, baseEventId }: Extract<PixbookCommand, { type: 'save' }>): Decision => {
  if (baseEventId !== head)
    return refuse('stale-base', 'the pixbook has moved on since baseEventId; read it, merge and save again');
  if (canonicalBytes(state).length > limits.savedStateBytes)
    return refuse('state-too-large', `the canonical state is over ${limits.savedStateBytes} bytes`);
  return ok({ type: 'PIXBOOK_SAVE', payload: { state, baseEventId } });
};
