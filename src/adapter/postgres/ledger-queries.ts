import { type Compilable, sql } from 'kysely';
import type pg from 'pg';
import type { LedgerQueries, Page, PageRequest } from '../../port/ledger-queries.ts';
import { parseAccountId, parseReceiptHash } from '../../receipt/ids.ts';
import { parsePrefix } from '../../receipt/key-path.ts';
import { roles } from '../../stream/account/event.ts';
import { stored, storedCount, storedWord } from '../stored-column.ts';
import { guardOn } from './guard.ts';
import { appliedHead } from './heads.ts';
import { rowsOf, sqlIn, withClient } from './pool.ts';
import { accountOf, identityOf, keyOf, memberOf, pixbookOf } from './resources.ts';
import { requireSchemaName } from './schema-text.ts';

export type LedgerQueriesOptions = {
  /** From `openPool`; stays its caller's. */
  readonly pool: pg.Pool;
  readonly schema?: string;
};

/** The reads for HTTP, each one statement and so one snapshot. Lists go by their key: a page costs the same wherever it lies. */
export const openLedgerQueries = ({ pool, schema = 'projection' }: LedgerQueriesOptions): LedgerQueries => {
  const db = sqlIn(requireSchemaName(schema));
  const headColumns = ['h.position', 'h.event_id', 'h.hash', 'h.created_at as head_created_at'] as const;
  const accounts = db.selectFrom('accounts as a').innerJoin('account_ledger_heads as h', 'h.account_id', 'a.account_id');
  const books = db.selectFrom('pixbooks as b').innerJoin('pixbook_ledger_heads as h', 'h.book_id', 'b.book_id');

  const guard = guardOn(pool, schema);
  const ask = <Row>(query: Compilable<Row>): Promise<readonly Row[]> => guard(() => rowsOf(pool, query));

  return {
    membership: async (userId, accountId) => {
      const query = db.selectFrom('account_members').select('role').where('account_id', '=', accountId).where('user_id', '=', userId);
      const [row] = await ask(query);
      return row === undefined ? null : storedWord('account_members.role', roles, row.role);
    },
    memberships: async (userId) => {
      const query = db.selectFrom('account_members').select(['account_id', 'role']).where('user_id', '=', userId).orderBy('account_id');
      return (await ask(query)).map(({ account_id, role }) => ({
        accountId: stored('account_members.account_id', parseAccountId, account_id),
        role: storedWord('account_members.role', roles, role),
      }));
    },
    account: async (accountId) => {
      const [row] = await ask(accounts.selectAll('a').select(headColumns).where('a.account_id', '=', accountId));
      return row === undefined ? null : accountOf(row);
    },
    members: async (accountId, page) => {
      const query = db.selectFrom('account_members').selectAll().where('account_id', '=', accountId);
      const after = page.after === null ? query : query.where('user_id', '>', page.after);
      return pageOf(await ask(after.orderBy('user_id').limit(page.limit + 1)), page, memberOf);
    },
    identities: async (accountId, page) => {
      const query = db.selectFrom('identities').selectAll().where('account_id', '=', accountId);
      const after = page.after === null ? query : query.where('identity_id', '>', page.after);
      return pageOf(await ask(after.orderBy('identity_id').limit(page.limit + 1)), page, identityOf);
    },
    identity: async (identityId) => {
      const [row] = await ask(db.selectFrom('identities').selectAll().where('identity_id', '=', identityId));
      return row === undefined ? null : identityOf(row);
    },
    key: async (publicKeyId) => {
      const query = db.selectFrom('identity_keys').selectAll().where('public_key_id', '=', publicKeyId);
      const [row] = await ask(query.orderBy('valid_from').orderBy('identity_id').orderBy('key_generation').limit(1));
      return row === undefined ? null : keyOf(row);
    },
    pixbooks: async ({ accountIds, identityId, collectionId }, page) => {
      // A page of each account, and of those the first: work is bounded by accounts times page, however many books there are.
      const perAccount = db
        .selectFrom(sql<{ account_id: string }>`unnest(${[...new Set(accountIds)]}::text[])`.as<'a'>(sql`a(account_id)`))
        .innerJoinLateral(
          (from) => {
            let inner = from.selectFrom('pixbooks').selectAll().whereRef('pixbooks.account_id', '=', 'a.account_id');
            if (identityId !== null) inner = inner.where('identity_id', '=', identityId);
            if (collectionId !== null) inner = inner.where('collection_id', '=', collectionId);
            if (page.after !== null) inner = inner.where('book_id', '>', page.after);
            return inner.orderBy('book_id').limit(page.limit + 1).as('b');
          },
          (join) => join.onTrue(),
        )
        .innerJoin('pixbook_ledger_heads as h', 'h.book_id', 'b.book_id');
      const query = perAccount.selectAll('b').select(headColumns).orderBy('b.book_id').limit(page.limit + 1);
      return pageOf(await ask(query), page, pixbookOf);
    },
    pixbook: async (bookId) => {
      const [row] = await ask(books.selectAll('b').select(headColumns).where('b.book_id', '=', bookId));
      return row === undefined ? null : pixbookOf(row);
    },
    receipt: async (eventId) => {
      const [row] = await ask(db.selectFrom('receipts').selectAll().where('event_id', '=', eventId));
      return row === undefined
        ? null
        : {
            stream: stored('receipts.stream', (prefix) => parsePrefix(String(prefix)), row.stream),
            position: storedCount('receipts.position', row.position),
            hash: stored('receipts.hash', parseReceiptHash, row.hash),
          };
    },
    head: async (stream) => (await guard(() => withClient(pool, (client) => appliedHead(client, schema, stream)))).current,
  };
};

/** One row more than asked for tells whether there are more. */
const pageOf = <Row, Resource>(
  rows: readonly Row[],
  { limit }: PageRequest<string>,
  parse: (row: Row) => Resource,
): Page<Resource> => ({ rows: rows.slice(0, limit).map(parse), hasMore: rows.length > limit });
