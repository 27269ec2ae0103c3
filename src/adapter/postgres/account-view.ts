import type pg from 'pg';
import type { View, ViewRequest } from '../../port/read-model.ts';
import type { StreamOf } from '../../receipt/stream.ts';
import { type AccountState, noAccount } from '../../stream/account/evolve.ts';
import { accountStatusOfRow, invitationOfRow, memberOfRow, planOfRow, stateIdentityOfRow } from '../projection-row.ts';
import { MalformedRow, type RawRow } from '../stored-column.ts';
import { rowInJson, rowsInJson } from './json-rows.ts';
import { type SharedView, type ViewKind, viewsOf } from './views.ts';

type Request = ViewRequest<StreamOf<'account'>>;

/** Members, invitations and identities come as JSON: an account has at most a few hundred (`limits.membersPerAccount`). */
const kindIn = (schema: string): ViewKind => ({
  name: 'account',
  inputs: ['account_id'],
  select: `a.status, a.plan,
      (SELECT json_agg(${rowInJson('account_invitations', 'v')}) FROM ${schema}.account_invitations AS v WHERE v.account_id = r.account_id) AS invitations,
      (SELECT json_agg(m ORDER BY m.user_id) FROM ${schema}.account_members AS m WHERE m.account_id = r.account_id) AS members,
      (SELECT json_agg(i ORDER BY i.identity_id) FROM ${schema}.identities AS i WHERE i.account_id = r.account_id) AS identities`,
  joins: `
    LEFT JOIN ${schema}.account_ledger_heads AS h ON h.account_id = r.account_id
    LEFT JOIN ${schema}.accounts AS a ON a.account_id = r.account_id`,
  actors: true,
});

/** Views of account streams, many at once. Answers in the order of the requests. Throws as `pg`, and `MalformedRow`. */
export const accountViews = (pool: pg.Pool, schema: string): ((requests: readonly Request[]) => Promise<View<AccountState>[]>) =>
  viewsOf(
    pool,
    schema,
    kindIn(schema),
    ({ stream }: Request) => [stream.accountId],
    (row, { userId }, shared) => {
      const state = stateOf(row, shared);
      const role = userId === null ? null : (state.members.get(userId) ?? null);
      return { ...shared, state, accountStatus: state.status, role, identity: null };
    },
  );

const stateOf = (row: RawRow, { head }: SharedView): AccountState => {
  if ((head === null) !== (row.status === null)) throw new MalformedRow('account without head, or head without account');
  if (head === null) return noAccount;
  return {
    status: accountStatusOfRow(row.status),
    plan: planOfRow(row.plan),
    invitations: new Map(rowsInJson(row.invitations).map(invitationOfRow)),
    members: new Map(rowsInJson(row.members).map(memberOfRow)),
    identities: new Map(rowsInJson(row.identities).map(stateIdentityOfRow)),
  };
};
