import type { Selectable } from 'kysely';
import type { MemoryTables } from '../adapter/memory/projection-tables.ts';
import { codeOf, collectionOf, dropOf, summaryOf } from '../adapter/postgres/collection-resources.ts';
import { accountOf, identityOf, invitationOf, keyOf, memberOf, pixbookOf } from '../adapter/postgres/resources.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import type { ReadModel } from '../port/read-model.ts';
import type { ProjectedTable } from '../projection/row-change.ts';
import type { DB } from '../projection/tables.generated.ts';
import { parseReceiptHash } from '../receipt/ids.ts';
import { parsePrefix } from '../receipt/key-path.ts';
import { memoryCardQueries } from './memory-card-queries.fixture.ts';
import { memoryPage } from './memory-page.fixture.ts';

/** The queries' port over the tables of the memory read model, which hold what `project` made of the receipts. */
export const memoryQueries = (tables: MemoryTables, readModel: Pick<ReadModel, 'head'>): LedgerQueries => {
  const all = <T extends ProjectedTable>(table: T): Selectable<DB[T]>[] =>
    [...tables.rows[table].values()] as unknown as Selectable<DB[T]>[];
  const withHead = <Row>(
    row: Row,
    head: { position: number; event_id: string; hash: string; created_at: Selectable<DB['receipts']>['created_at'] },
  ) => {
    const { position, event_id, hash, created_at: head_created_at } = head;
    return { ...row, position, event_id, hash, head_created_at };
  };
  const accounts = () =>
    all('accounts').flatMap((row) =>
      all('account_ledger_heads')
        .filter((head) => head.account_id === row.account_id)
        .map((head) => accountOf(withHead(row, head))),
    );
  const books = () =>
    all('pixbooks').flatMap((row) =>
      all('pixbook_ledger_heads')
        .filter((head) => head.book_id === row.book_id)
        .map((head) => pixbookOf(withHead(row, head))),
    );
  const collections = () =>
    all('collections').flatMap((row) => {
      const head = all('collection_ledger_heads').find((each) => each.collection_id === row.collection_id);
      const latest = all('collection_versions').find(
        (each) => each.collection_id === row.collection_id && each.version === row.version,
      );
      const retired = all('retired_series').filter((each) => each.collection_id === row.collection_id);
      if (head === undefined || latest === undefined) return [];
      const { series, cards } = latest;
      const instants = JSON.stringify(Object.fromEntries(retired.map((each) => [each.series_id, each.retired_at])));
      return [collectionOf(withHead({ ...row, series, cards, retired: instants }, head))];
    });
  const members = (accountId: string) =>
    all('account_members')
      .filter((row) => row.account_id === accountId)
      .map(memberOf);
  return {
    membership: async (userId, accountId) => members(accountId).find((member) => member.userId === userId)?.role ?? null,
    memberships: async (userId) =>
      accounts().flatMap(({ accountId }) =>
        members(accountId)
          .filter((member) => member.userId === userId)
          .map(({ role }) => ({ accountId, role })),
      ),
    account: async (accountId) => accounts().find((account) => account.accountId === accountId) ?? null,
    members: async (accountId, page) => memoryPage(members(accountId), ({ userId }) => userId, page),
    invitations: async (accountId, page) =>
      memoryPage(
        all('account_invitations')
          .filter((row) => row.account_id === accountId)
          .map(invitationOf),
        ({ invitationId }) => invitationId,
        page,
      ),
    written: async (accountId, from, until) => {
      const mine = all('receipts').filter((row) => row.account_id === accountId);
      const then = mine.filter((row) => row.created_at >= from && row.created_at < until);
      return { receipts: then.length, bytes: then.reduce((sum, { bytes }) => sum + bytes, 0) };
    },
    identities: async (accountId, page) =>
      memoryPage(
        all('identities')
          .map(identityOf)
          .filter((identity) => identity.accountId === accountId),
        ({ identityId }) => identityId,
        page,
      ),
    identity: async (accountId, identityId) =>
      all('identities')
        .map(identityOf)
        .find((identity) => identity.identityId === identityId && identity.accountId === accountId) ?? null,
    key: async (publicKeyId) =>
      all('identity_keys')
        .map(keyOf)
        .find((key) => key.publicKeyId === publicKeyId) ?? null,
    pixbooks: async ({ accountIds, identityId, collectionId }, page) =>
      memoryPage(
        books()
          .filter((book) => accountIds.includes(book.accountId))
          .filter((book) => identityId === null || book.identityId === identityId)
          .filter((book) => collectionId === null || book.collectionId === collectionId),
        ({ bookId }) => bookId,
        page,
      ),
    pixbook: async ({ accountId, bookId }) =>
      books().find((book) => book.bookId === bookId && book.accountId === accountId) ?? null,
    accountOfBook: async (bookId) => books().find((book) => book.bookId === bookId)?.accountId ?? null,
    collections: async (page) => memoryPage(all('collections').map(summaryOf), ({ collectionId }) => collectionId, page),
    collection: async (collectionId) => collections().find((each) => each.collectionId === collectionId) ?? null,
    drops: async (collectionId, page) =>
      memoryPage(
        all('drops')
          .map(dropOf)
          .filter((drop) => drop.collectionId === collectionId),
        ({ dropId }) => dropId,
        page,
      ),
    drop: async (dropId) =>
      all('drops')
        .map(dropOf)
        .find((drop) => drop.dropId === dropId) ?? null,
    codes: async ({ dropId, status, batchId }, page) =>
      memoryPage(
        all('codes')
          .map(codeOf)
          .filter((code) => code.dropId === dropId)
          .filter((code) => status === null || code.status === status)
          .filter((code) => batchId === null || code.batchId === batchId),
        ({ codeId }) => codeId,
        page,
      ),
    code: async (codeId) =>
      all('codes')
        .map(codeOf)
        .find((code) => code.codeId === codeId) ?? null,
    ...memoryCardQueries(all),
    receipt: async (eventId) => {
      const row = all('receipts').find((receipt) => receipt.event_id === eventId);
      const stream = parsePrefix(row?.stream ?? '');
      const hash = parseReceiptHash(row?.hash);
      return row !== undefined && stream.ok && hash.ok
        ? { stream: stream.value, position: row.position, hash: hash.value }
        : null;
    },
    head: (stream) => readModel.head(stream),
  };
};
