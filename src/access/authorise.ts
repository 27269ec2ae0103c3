import type { IdentityId, UserId } from '../receipt/ids.ts';
import { type Result, err, ok } from '../result.ts';
import type { Role } from '../stream/account/event.ts';
import type { AccountState } from '../stream/account/evolve.ts';
import type { Refusal } from '../stream/refusal.ts';

/** Who asks, as the projection of the account's stream shows it. */
export type Asking = {
  readonly userId: UserId | null;
  readonly role: Role | null;
  readonly accountStatus: AccountState['status'];
};

/** An identity the user may want to sign with. */
export type SigningIdentity = {
  readonly identityId: IdentityId;
  readonly status: 'active' | 'revoked';
  readonly controller: UserId | null;
};

/** `not-found` for everyone outside the account, so that a foreign id and a missing one look the same. */
export type Denial = Refusal<
  'not-found' | 'forbidden' | 'account-closed' | 'account-suspended' | 'identity-missing' | 'identity-revoked'
>;
type Authorised = Result<void, Denial>;

/** Owners keep their account; operators keep the operator's. */
const keeps = (role: Role | null): boolean => role === 'owner' || role === 'operator';

const member = ({ accountStatus, role }: Asking): Authorised =>
  accountStatus === 'absent' || role === null ? deny('not-found', 'there is no such resource') : ok(undefined);

/** Any member may read: viewers too, and a closed account stays readable. */
export const mayRead = (asking: Asking): Authorised => member(asking);

/** Members, roles and closing are for those who keep the account. */
export const mayKeepAccount = (asking: Asking): Authorised => {
  const inside = member(asking);
  if (!inside.ok) return inside;
  return keeps(asking.role) ? ok(undefined) : deny('forbidden', 'only an owner of the account may do this');
};

/** A member may leave; taking out others is for those who keep the account. */
export const mayRemoveMember = (asking: Asking, leaving: UserId): Authorised => {
  const inside = member(asking);
  return !inside.ok || leaving === asking.userId ? inside : mayKeepAccount(asking);
};

/** What an account uses is shown to its owners alone. */
export const mayReadUsage = (asking: Asking): Authorised => {
  const inside = member(asking);
  if (!inside.ok) return inside;
  return asking.role === 'owner' ? ok(undefined) : deny('forbidden', 'only an owner of the account may see this');
};

/** The service is run by the operators. `asking` is the user's standing in `acc_operator`. */
export const mayOperate = ({ role }: Pick<Asking, 'role'>): Authorised =>
  role === 'operator' ? ok(undefined) : deny('forbidden', 'only an operator may do this');

/** Members sign with identities of their own, and so do issuers in the operator's account. */
const hasOwnIdentities = (role: Role | null): boolean => role === 'member' || role === 'issuer';

/** Keepers make identities for any member; members and issuers make their own; viewers make none. */
export const mayCreateIdentity = (asking: Asking, controller: UserId): Authorised => {
  const inside = member(asking);
  if (!inside.ok) return inside;
  if (keeps(asking.role)) return ok(undefined);
  return hasOwnIdentities(asking.role) && controller === asking.userId
    ? ok(undefined)
    : deny('forbidden', 'a member may create identities for itself only');
};

/** Keepers sign with every identity of the account, members with those they control, viewers with none; nobody with a revoked one. */
export const maySignAs = (asking: Asking, identity: SigningIdentity | null): Authorised => {
  const inside = member(asking);
  if (!inside.ok) return inside;
  if (asking.role === 'viewer') return deny('forbidden', 'a viewer may only read');
  if (identity === null) return deny('identity-missing', 'there is no such identity in this account');
  if (!keeps(asking.role) && identity.controller !== asking.userId)
    return deny('forbidden', 'this identity is controlled by another member');
  return isLive(asking.accountStatus, identity);
};

/** An identity of a closed or suspended account, and a revoked one, neither give nor take any more (domain rule 10). */
export const isLive = (accountStatus: Asking['accountStatus'], identity: Pick<SigningIdentity, 'status'>): Authorised => {
  if (accountStatus === 'closed') return deny('account-closed', 'the account is closed; its history stays readable');
  if (accountStatus === 'suspended') return deny('account-suspended', 'the account is suspended; its history stays readable');
  return identity.status === 'active'
    ? ok(undefined)
    : deny('identity-revoked', 'the identity is revoked; its history stays readable');
};

/**
 * Issuing is for members of the operator's account: operators with every identity of it, issuers with those they control. `asking` is the
 * user's standing there. That there is an operator is no secret: everyone else is told that this is not for them.
 */
export const mayIssue = (asking: Asking, identity: SigningIdentity | null): Authorised =>
  asking.role === 'operator' || asking.role === 'issuer'
    ? maySignAs(asking, identity)
    : deny('forbidden', 'only an issuer may do this');

const deny = (code: Denial['code'], detail: string): Authorised => err({ code, detail });
