import type pg from 'pg';
import type { PixbookViewRequest, View } from '../../port/read-model.ts';
import { roles } from '../../stream/account/event.ts';
import { concernsNothing } from '../../stream/pixbook/concerns.ts';
import { type PixbookState, noPixbook } from '../../stream/pixbook/state.ts';
import { type BookSlice, noSlice } from '../pixbook-row.ts';
import { accountStatusOfRow, identityOfRow, pixbookOfRow } from '../projection-row.ts';
import { MalformedRow, type RawRow, storedWord } from '../stored-column.ts';
import { askedSlice, sliceInputs, sliceOfRow, sliceSelect } from './book-slice.ts';
import { identitySelect } from './identity-select.ts';
import { type SharedView, type ViewKind, viewsOf } from './views.ts';

type Views = (requests: readonly PixbookViewRequest[]) => Promise<View<PixbookState>[]>;

/**
 * The book is looked up by its account too: seen through another account it is not there. (A `coalesce` might tell what it is given, to the
 * planner: behind a tenant wall it would keep the identity from being found by its key.)
 */
const kindIn = (schema: string): ViewKind => ({
  name: 'pixbook',
  inputs: ['account_id', 'book_id', 'user_id', 'identity_id'],
  select: `p.status, p.identity_id, p.collection_id, p.generation, a.status AS account_status, m.role, ${identitySelect('i', 'identity_')}`,
  joins: `
    LEFT JOIN ${schema}.pixbook_ledger_heads AS h ON h.book_id = r.book_id AND h.account_id = r.account_id
    LEFT JOIN ${schema}.pixbooks AS p ON p.book_id = r.book_id AND p.account_id = r.account_id
    LEFT JOIN ${schema}.accounts AS a ON a.account_id = r.account_id
    LEFT JOIN ${schema}.account_members AS m ON m.account_id = r.account_id AND m.user_id = r.user_id
    LEFT JOIN ${schema}.identities AS i
      ON i.identity_id = CASE WHEN p.identity_id IS NULL THEN r.identity_id ELSE p.identity_id END`,
  actors: false,
});

/** The same, with what the concerns name. */
const slicedKindIn = (schema: string): ViewKind => {
  const { inputs, select, joins } = kindIn(schema);
  return {
    name: 'pixbook_slice',
    inputs: [...inputs, ...sliceInputs],
    select: `${select},
      ${sliceSelect(schema)}`,
    joins,
    actors: true,
  };
};

/** Whether nothing but the book itself is asked for, as by every save. */
export const asksForBookAlone = ({ concerns, actor }: PixbookViewRequest): boolean =>
  !actor && (concerns === undefined || concernsNothing(concerns));

/**
 * Views of pixbook streams by requests that ask for the book alone, many at once. Answers in the order of the requests. Throws as `pg`, and
 * `MalformedRow`.
 */
export const pixbookViews = (pool: pg.Pool, schema: string): Views =>
  viewsOf(pool, schema, kindIn(schema), bookInputs, (row, request, shared) => viewOf(row, request, shared, noSlice));

/** The same by requests that ask for more. */
export const pixbookSliceViews = (pool: pg.Pool, schema: string): Views =>
  viewsOf(
    pool,
    schema,
    slicedKindIn(schema),
    (request: PixbookViewRequest) => [...bookInputs(request), ...askedSlice(request.concerns)],
    (row, request, shared) => viewOf(row, request, shared, sliceOfRow(row)),
  );

const bookInputs = ({ stream, userId, identityId }: PixbookViewRequest): readonly (string | null)[] => [
  stream.accountId,
  stream.bookId,
  userId,
  identityId,
];

const viewOf = (row: RawRow, { stream }: PixbookViewRequest, shared: SharedView, slice: BookSlice): View<PixbookState> => {
  const identity = identityOfRow(row, 'identity_');
  return {
    ...shared,
    state: stateOf(row, shared, slice),
    accountStatus: accountStatusOfRow(row.account_status),
    role: row.role === null ? null : storedWord('account_members.role', roles, row.role),
    // Another account's identity is as good as none. (In SQL the condition would tempt the planner to read all of the account's.)
    identity: identity?.accountId === stream.accountId ? identity : null,
  };
};

const stateOf = (row: RawRow, { head }: SharedView, slice: BookSlice): PixbookState => {
  if ((head === null) !== (row.status === null)) throw new MalformedRow('pixbook without head, or head without pixbook');
  return head === null ? noPixbook : pixbookOfRow(row, head, slice);
};
