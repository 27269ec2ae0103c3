import type { IdentityId, Instant, InvitationId, UserId } from '../../receipt/ids.ts';
import type { Plan, Role } from './event.ts';

/** What may be asked of an account. `by` is the signed-in user who asks, `at` the time; keys come from the signer before the decision. */
export type AccountCommand =
  | { readonly type: 'create-account'; readonly owner: UserId }
  | { readonly type: 'initialise-operator'; readonly identityId: IdentityId; readonly publicKey: string }
  | { readonly type: 'add-member'; readonly userId: UserId; readonly role: Role; readonly by: UserId }
  | { readonly type: 'change-member-role'; readonly userId: UserId; readonly role: Role; readonly by: UserId }
  | { readonly type: 'remove-member'; readonly userId: UserId; readonly by: UserId }
  | {
      readonly type: 'invite-member';
      readonly invitationId: InvitationId;
      readonly role: Role;
      readonly at: Instant;
      readonly by: UserId;
    }
  | {
      readonly type: 'accept-invitation';
      readonly invitationId: InvitationId;
      readonly userId: UserId;
      readonly at: Instant;
    }
  | { readonly type: 'withdraw-invitation'; readonly invitationId: InvitationId; readonly by: UserId }
  | {
      readonly type: 'create-identity';
      readonly identityId: IdentityId;
      readonly publicKey: string;
      readonly controller: UserId;
      readonly by: UserId;
    }
  | { readonly type: 'rotate-key'; readonly identityId: IdentityId; readonly publicKey: string; readonly by: UserId }
  | { readonly type: 'revoke-identity'; readonly identityId: IdentityId; readonly by: UserId }
  | { readonly type: 'suspend-account'; readonly reason: string; readonly by: UserId }
  | { readonly type: 'resume-account'; readonly by: UserId }
  | { readonly type: 'change-plan'; readonly plan: Plan; readonly by: UserId }
  | { readonly type: 'close-account'; readonly by: UserId };
