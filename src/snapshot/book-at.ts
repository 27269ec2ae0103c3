import type { PixbookResource } from '../port/ledger-queries.ts';
import { type Head, headOf } from '../receipt/chain.ts';
import type { StoredReceipt } from '../receipt/receipt.ts';
import type { StreamOf } from '../receipt/stream.ts';
import type { PixbookEvent } from '../stream/pixbook/event.ts';
import type { LivePixbook } from '../stream/pixbook/state.ts';

/** What a pixbook's resource shows besides what its rules need to know. */
export type ShownBook = Pick<PixbookResource, 'state' | 'stateEventId' | 'createdAt' | 'savedAt' | 'closedAt'>;

/** A pixbook just after a receipt: all it takes to go on from there, and to show it. */
export type BookAt = {
  readonly stream: StreamOf<'pixbook'>;
  readonly head: Head;
  /** With every card, pack and trade. */
  readonly state: LivePixbook;
  readonly shown: ShownBook;
};

/** What an event changes of what is shown: the rows of the projection say the same. */
export const shownBy = (event: PixbookEvent, { eventId, createdAt }: StoredReceipt['receipt']): Partial<ShownBook> => {
  switch (event.type) {
    case 'PIXBOOK_SAVE':
      return { state: event.payload.state, stateEventId: eventId, savedAt: createdAt };
    case 'PIXBOOK_CLOSED':
      return { closedAt: createdAt };
    default:
      return {}; // packs, cards and trades have resources of their own
  }
};

/** The pixbook after its next receipt, which holds `event` and leads to `state`; `before` is null for the first. */
export const bookAfter = (
  before: BookAt | null,
  stream: BookAt['stream'],
  stored: StoredReceipt,
  event: PixbookEvent,
  state: LivePixbook,
): BookAt => {
  const unsaved = { state: null, stateEventId: null, createdAt: stored.receipt.createdAt, savedAt: null, closedAt: null };
  return { stream, head: headOf(stored), state, shown: { ...(before?.shown ?? unsaved), ...shownBy(event, stored.receipt) } };
};

/** The resource, member for member as the projection gives it. */
export const resourceOf = ({ stream, head, state, shown }: BookAt): PixbookResource => ({
  bookId: stream.bookId,
  accountId: stream.accountId,
  identityId: state.identityId,
  collectionId: state.collectionId,
  generation: state.generation,
  status: state.status,
  state: shown.state,
  stateEventId: shown.stateEventId,
  createdAt: shown.createdAt,
  savedAt: shown.savedAt,
  closedAt: shown.closedAt,
  head,
});
