import type pg from 'pg';
import type { View, ViewRequest } from '../../port/read-model.ts';
import type { StreamOf } from '../../receipt/stream.ts';
import { roles } from '../../stream/account/event.ts';
import { type PixbookState, noPixbook } from '../../stream/pixbook/evolve.ts';
import { accountStatusOfRow, identityOfRow, pixbookOfRow } from '../projection-row.ts';
import { MalformedRow, type RawRow, storedWord } from '../stored-column.ts';
import { type SharedView, identitySelect, sharedJoins, sharedSelect, viewTogether } from './views.ts';

type Request = ViewRequest<StreamOf<'pixbook'>>;

/**
 * Every look-up is by the stream's account too: a book seen through another account is not there. The same holds for the identity
 * that a new book is for.
 */
const textFor = (schema: string): string => `
SELECT ${sharedSelect(schema)}, p.status, p.identity_id, p.collection_id, p.generation,
  a.status AS account_status, m.role, ${identitySelect('i', 'identity_')}
FROM unnest($1::integer[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[])
  AS r(n, digest, account_id, book_id, user_id, identity_id)
LEFT JOIN ${schema}.pixbook_ledger_heads AS h ON h.book_id = r.book_id AND h.account_id = r.account_id
LEFT JOIN ${schema}.pixbooks AS p ON p.book_id = r.book_id AND p.account_id = r.account_id
LEFT JOIN ${schema}.accounts AS a ON a.account_id = r.account_id
LEFT JOIN ${schema}.account_members AS m ON m.account_id = r.account_id AND m.user_id = r.user_id
LEFT JOIN ${schema}.identities AS i ON i.identity_id = coalesce(p.identity_id, r.identity_id) AND i.account_id = r.account_id
${sharedJoins(schema)}`;

/** Views of pixbook streams, many at once. Answers in the order of the requests. Throws as `pg`, and `MalformedRow`. */
export const pixbookViews = (
  pool: pg.Pool,
  schema: string,
): ((requests: readonly Request[]) => Promise<View<PixbookState>[]>) => {
  const statement = { name: 'pixbook_views', text: textFor(schema) };
  return (requests) =>
    viewTogether(
      pool,
      statement,
      requests,
      ({ stream, userId, identityId }) => [stream.accountId, stream.bookId, userId, identityId],
      viewOf,
    );
};

const viewOf = (row: RawRow, shared: SharedView): View<PixbookState> => ({
  ...shared,
  state: stateOf(row, shared),
  accountStatus: accountStatusOfRow(row.account_status),
  role: row.role === null ? null : storedWord('account_members.role', roles, row.role),
  identity: identityOfRow(row, 'identity_'),
});

const stateOf = (row: RawRow, { head }: SharedView): PixbookState => {
  if ((head === null) !== (row.status === null)) throw new MalformedRow('pixbook without head, or head without pixbook');
  return head === null ? noPixbook : pixbookOfRow(row, head);
};
