import type { LedgerQueries } from '../../port/ledger-queries.ts';
import { parseAccountId } from '../../receipt/ids.ts';
import { roles } from '../../stream/account/event.ts';
import { stored, storedCount, storedWord } from '../stored-column.ts';
import { type Asking, headColumns, pageOf } from './query-page.ts';
import { accountOf, identityOf, invitationOf, keyOf, memberOf } from './resources.ts';
import { tenants } from './scope.ts';

type AccountQueries = Pick<LedgerQueries, 'membership' | 'memberships' | 'account' | 'members' | 'invitations' | 'written'>;

/** Accounts, who belongs to them, and what they wrote. */
export const accountQueries = ({ db, ask }: Asking): AccountQueries => ({
  membership: async (userId, accountId) => {
    const query = db
      .selectFrom('account_members')
      .select('role')
      .where('account_id', '=', accountId)
      .where('user_id', '=', userId);
    const [row] = await ask(tenants(accountId), query);
    return row === undefined ? null : storedWord('account_members.role', roles, row.role);
  },
  memberships: async (userId) => {
    const query = db
      .selectFrom('account_members')
      .select(['account_id', 'role'])
      .where('user_id', '=', userId)
      .orderBy('account_id');
    return (await ask('directory', query)).map(({ account_id, role }) => ({
      accountId: stored('account_members.account_id', parseAccountId, account_id),
      role: storedWord('account_members.role', roles, role),
    }));
  },
  account: async (accountId) => {
    const [row] = await ask(
      tenants(accountId),
      db
        .selectFrom('accounts as a')
        .innerJoin('account_ledger_heads as h', 'h.account_id', 'a.account_id')
        .selectAll('a')
        .select(headColumns)
        .where('a.account_id', '=', accountId),
    );
    return row === undefined ? null : accountOf(row);
  },
  members: async (accountId, page) => {
    const query = db.selectFrom('account_members').selectAll().where('account_id', '=', accountId);
    const after = page.after === null ? query : query.where('user_id', '>', page.after);
    return pageOf(await ask(tenants(accountId), after.orderBy('user_id').limit(page.limit + 1)), page, memberOf);
  },
  invitations: async (accountId, page) => {
    const query = db.selectFrom('account_invitations').selectAll().where('account_id', '=', accountId);
    const after = page.after === null ? query : query.where('invitation_id', '>', page.after);
    return pageOf(await ask(tenants(accountId), after.orderBy('invitation_id').limit(page.limit + 1)), page, invitationOf);
  },
  written: async (accountId, from, until) => {
    const [row] = await ask(
      tenants(accountId),
      db
        .selectFrom('receipts')
        .select(({ fn }) => [fn.countAll<number>().as('receipts'), fn.sum<number | null>('bytes').as('bytes')])
        .where('account_id', '=', accountId)
        .where('created_at', '>=', from)
        .where('created_at', '<', until),
    );
    return { receipts: storedCount('receipts count', row?.receipts), bytes: storedCount('receipts bytes', row?.bytes ?? 0) };
  },
});

/** Who signs for accounts, and with which keys. */
export const identityQueries = ({ db, ask }: Asking): Pick<LedgerQueries, 'identities' | 'identity' | 'key'> => ({
  identities: async (accountId, page) => {
    const query = db.selectFrom('identities').selectAll().where('account_id', '=', accountId);
    const after = page.after === null ? query : query.where('identity_id', '>', page.after);
    return pageOf(await ask(tenants(accountId), after.orderBy('identity_id').limit(page.limit + 1)), page, identityOf);
  },
  identity: async (accountId, identityId) => {
    const query = db
      .selectFrom('identities')
      .selectAll()
      .where('identity_id', '=', identityId)
      .where('account_id', '=', accountId);
    const [row] = await ask(tenants(accountId), query);
    return row === undefined ? null : identityOf(row);
  },
  key: async (publicKeyId) => {
    const query = db.selectFrom('identity_keys').selectAll().where('public_key_id', '=', publicKeyId);
    const [row] = await ask('directory', query.orderBy('valid_from').orderBy('identity_id').orderBy('key_generation').limit(1));
    return row === undefined ? null : keyOf(row);
  },
});
