import type { Acting, ViewRequest } from '../../port/read-model.ts';
import { roles } from '../../stream/account/event.ts';
import { accountStatusOfRow, identityOfRow } from '../projection-row.ts';
import { type RawRow, storedWord } from '../stored-column.ts';
import { identitySelect } from './identity-select.ts';

/** The actor of a request in SQL: what a view of any stream shows beside it. `r` is a row of the inputs. */
export const actorInputs = ['actor_account_id', 'actor_identity_id', 'actor_user_id'];

export const actorSelect = `actor_account.status AS actor_account_status, actor_member.role AS actor_role,
      ${identitySelect('actor', 'actor_')}`;

export const actorJoins = (schema: string): string => `
    LEFT JOIN ${schema}.accounts AS actor_account ON actor_account.account_id = r.actor_account_id
    LEFT JOIN ${schema}.account_members AS actor_member
      ON actor_member.account_id = r.actor_account_id AND actor_member.user_id = r.actor_user_id
    LEFT JOIN ${schema}.identities AS actor ON actor.identity_id = r.actor_identity_id`;

/** The values of `actorInputs`. */
export const askedActor = ({ actor, userId }: ViewRequest): readonly (string | null)[] =>
  actor ? [actor.accountId, actor.identityId, userId] : [null, null, null];

/** Null when no actor was asked for. Throws `MalformedRow`. */
export const actingOfRow = (row: RawRow, { actor }: ViewRequest): Acting | null => {
  if (!actor) return null;
  const identity = identityOfRow(row, 'actor_');
  return {
    accountStatus: accountStatusOfRow(row.actor_account_status),
    role: row.actor_role === null ? null : storedWord('account_members.role', roles, row.actor_role),
    // Another account's identity is as good as none.
    identity: identity?.accountId === actor.accountId ? identity : null,
  };
};
