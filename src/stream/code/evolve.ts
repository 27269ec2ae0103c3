import { type CollectionId, type DropId, bookIdFor } from '../../receipt/ids.ts';
import { type Result, err, ok } from '../../result.ts';
import type { Place } from '../here.ts';
import type { IllegalEvent } from '../refusal.ts';
import { transitionsOf } from '../transition.ts';
import type { CodeEvent } from './event.ts';
import type { CodeState } from './state.ts';

const statusAfter = transitionsOf<CodeState['status'], CodeEvent['type']>({
  absent: { CODE_CREATED: 'open' },
  open: { CODE_CLAIMED: 'claimed', CODE_REVOKED: 'revoked' },
  claimed: {},
  revoked: {},
});

/** The state after an event at this place. Errors: `illegal-event` when no state of ours could have led to it. */
export const evolveCode = (state: CodeState, event: CodeEvent, place: Place): Result<CodeState, IllegalEvent> => {
  const worth = worthAfter(state, event);
  if (worth === null || statusAfter(state.status, event.type) === null) return illegal(event, `the code is ${state.status}`);
  switch (event.type) {
    case 'CODE_CREATED':
      return ok({ status: 'open', ...worth, claim: null });
    case 'CODE_CLAIMED': {
      const { identityId, generation, bookId } = event.payload;
      if (bookIdFor(identityId, worth.collectionId, generation) !== bookId)
        return illegal(event, 'bookId does not follow from identity, the code’s collection and generation');
      const { eventId, hash, at } = place;
      return ok({ status: 'claimed', ...worth, claim: { ...event.payload, eventId, hash, at } });
    }
    case 'CODE_REVOKED':
      return ok({ status: 'revoked', ...worth, claim: null });
  }
};

/** What the code is worth a pack of. Null: there is no code. */
const worthAfter = (state: CodeState, event: CodeEvent): Worth | null => {
  if (event.type === 'CODE_CREATED') return worthOf(event.payload);
  return state.status === 'absent' ? null : worthOf(state);
};

type Worth = { readonly collectionId: CollectionId; readonly dropId: DropId };

const worthOf = ({ collectionId, dropId }: Worth): Worth => ({ collectionId, dropId });

const illegal = (event: CodeEvent, why: string): Result<never, IllegalEvent> =>
  err({ code: 'illegal-event', detail: `${event.type}: ${why}` });
