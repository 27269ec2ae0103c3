import type pg from 'pg';
import type { View, ViewRequest } from '../../port/read-model.ts';
import type { StreamOf } from '../../receipt/stream.ts';
import { roles } from '../../stream/account/event.ts';
import { type PixbookState, noPixbook } from '../../stream/pixbook/evolve.ts';
import { accountStatusOfRow, identityOfRow, pixbookOfRow } from '../projection-row.ts';
import { MalformedRow, type RawRow, storedWord } from '../stored-column.ts';
import { type SharedView, type ViewKind, identitySelect, viewsOf } from './views.ts';

type Request = ViewRequest<StreamOf<'pixbook'>>;

/** The book is looked up by its account too: seen through another account it is not there. */
const kindIn = (schema: string): ViewKind => ({
  name: 'pixbook',
  inputs: ['account_id', 'book_id', 'user_id', 'identity_id'],
  select: `p.status, p.identity_id, p.collection_id, p.generation, a.status AS account_status, m.role, ${identitySelect('i', 'identity_')}`,
  joins: `
    LEFT JOIN ${schema}.pixbook_ledger_heads AS h ON h.book_id = r.book_id AND h.account_id = r.account_id
    LEFT JOIN ${schema}.pixbooks AS p ON p.book_id = r.book_id AND p.account_id = r.account_id
    LEFT JOIN ${schema}.accounts AS a ON a.account_id = r.account_id
    LEFT JOIN ${schema}.account_members AS m ON m.account_id = r.account_id AND m.user_id = r.user_id
    LEFT JOIN ${schema}.identities AS i ON i.identity_id = coalesce(p.identity_id, r.identity_id)`,
});

/** Views of pixbook streams, many at once. Answers in the order of the requests. Throws as `pg`, and `MalformedRow`. */
export const pixbookViews = (pool: pg.Pool, schema: string): ((requests: readonly Request[]) => Promise<View<PixbookState>[]>) =>
  viewsOf(
    pool,
    schema,
    kindIn(schema),
    ({ stream, userId, identityId }: Request) => [stream.accountId, stream.bookId, userId, identityId],
    (row, { stream }, shared) => {
      const identity = identityOfRow(row, 'identity_');
      return {
        ...shared,
        state: stateOf(row, shared),
        accountStatus: accountStatusOfRow(row.account_status),
        role: row.role === null ? null : storedWord('account_members.role', roles, row.role),
        // Another account's identity is as good as none. (In SQL the condition would tempt the planner to read all of the account's.)
        identity: identity?.accountId === stream.accountId ? identity : null,
      };
    },
  );

const stateOf = (row: RawRow, { head }: SharedView): PixbookState => {
  if ((head === null) !== (row.status === null)) throw new MalformedRow('pixbook without head, or head without pixbook');
  return head === null ? noPixbook : pixbookOfRow(row, head);
};
