import {
  parseAccountId,
  parseBookId,
  parseCollectionId,
  parseDropId,
  parseEventId,
  parseIdentityId,
  parseReceiptHash,
} from '../receipt/ids.ts';
import type { CodeClaim, CodeState } from '../stream/code/state.ts';
import { type RawRow, stored, storedCount, storedInstant, storedWord } from './stored-column.ts';

/** From a row of `codes`; columns are named as in schema.sql. Throws `MalformedRow`. */
export const codeOfRow = (row: RawRow): CodeState => {
  const status = storedWord('codes.status', ['open', 'claimed', 'revoked'], row.status);
  const of = {
    collectionId: stored('codes.collection_id', parseCollectionId, row.collection_id),
    dropId: stored('codes.drop_id', parseDropId, row.drop_id),
  };
  return status === 'claimed' ? { status, ...of, claim: claimOfRow(row) } : { status, ...of, claim: null };
};

const claimOfRow = (row: RawRow): CodeClaim => ({
  accountId: stored('codes.account_id', parseAccountId, row.account_id),
  identityId: stored('codes.identity_id', parseIdentityId, row.identity_id),
  bookId: stored('codes.book_id', parseBookId, row.book_id),
  generation: storedCount('codes.generation', row.generation),
  eventId: stored('codes.claim_event_id', parseEventId, row.claim_event_id),
  hash: stored('codes.claim_hash', parseReceiptHash, row.claim_hash),
  at: storedInstant('codes.claimed_at', row.claimed_at),
});
