import type { CollectionId, EventId, IdentityId } from '../../receipt/ids.ts';
import { type Result, err, ok } from '../../result.ts';
import type { IllegalEvent } from '../refusal.ts';
import type { PixbookEvent } from './event.ts';

/** What the rules of a pixbook need to know of it. `head` is its last receipt: the base a save must name. */
export type PixbookState =
  | { readonly status: 'absent' }
  | {
      readonly status: 'open' | 'closed';
      readonly identityId: IdentityId;
      readonly collectionId: CollectionId;
      readonly generation: number;
      readonly head: EventId;
    };

export const noPixbook: PixbookState = { status: 'absent' };

/** The state after an event with this id. Errors: `illegal-event` when no state of ours could have led to it. */
export const evolvePixbook = (state: PixbookState, event: PixbookEvent, eventId: EventId): Result<PixbookState, IllegalEvent> => {
  if (event.type === 'PIXBOOK_CREATED')
    return state.status === 'absent'
      ? ok({ status: 'open', ...event.payload, head: eventId })
      : illegal(event, 'the pixbook exists');
  if (state.status !== 'open') return illegal(event, `the pixbook is ${state.status}`);
  switch (event.type) {
    case 'PIXBOOK_SAVE':
      return event.payload.baseEventId === state.head
        ? ok({ ...state, head: eventId })
        : illegal(event, 'it is not based on the receipt before it');
    case 'PIXBOOK_CLOSED':
      return ok({ ...state, status: 'closed', head: eventId });
  }
};

const illegal = (event: PixbookEvent, why: string): Result<never, IllegalEvent> =>
  err({ code: 'illegal-event', detail: `${event.type}: ${why}` });
