import type { StreamOf } from '../receipt/stream.ts';
import type { CodeEvent } from '../stream/code/event.ts';
import type { Place } from './place.ts';
import type { RowChange } from './row-change.ts';

/** What a receipt of a code changes. */
export const codeChanges = (
  { codeId: code_id }: StreamOf<'code'>,
  event: CodeEvent,
  { eventId, hash, createdAt: at }: Place,
): readonly RowChange[] => {
  switch (event.type) {
    case 'CODE_CREATED': {
      const { collectionId: collection_id, dropId: drop_id, batchId: batch_id } = event.payload;
      const row = { code_id, collection_id, drop_id, batch_id, status: 'open', created_at: at, revoked_at: null, ...unclaimed };
      return [{ op: 'insert', table: 'codes', row }];
    }
    case 'CODE_CLAIMED': {
      const { accountId: account_id, identityId: identity_id, bookId: book_id, generation } = event.payload;
      const claim = { claim_event_id: eventId, claim_hash: hash, claimed_at: at };
      const set = { status: 'claimed', account_id, identity_id, book_id, generation, ...claim };
      return [{ op: 'update', table: 'codes', key: { code_id }, set }];
    }
    case 'CODE_REVOKED':
      return [{ op: 'update', table: 'codes', key: { code_id }, set: { status: 'revoked', revoked_at: at } }];
  }
};

const unclaimed = {
  account_id: null,
  identity_id: null,
  book_id: null,
  generation: null,
  claim_event_id: null,
  claim_hash: null,
  claimed_at: null,
};
