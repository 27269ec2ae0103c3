import type { IdentityId, UserId } from '../../receipt/ids.ts';
import type { Role } from './event.ts';

/** What may be asked of an account. `by` is the signed-in user who asks; keys come from the signer before the decision. */
export type AccountCommand =
  | { readonly type: 'create-account'; readonly owner: UserId }
  | { readonly type: 'initialise-operator'; readonly identityId: IdentityId; readonly publicKey: string }
  | { readonly type: 'add-member'; readonly userId: UserId; readonly role: Role; readonly by: UserId }
  | { readonly type: 'change-member-role'; readonly userId: UserId; readonly role: Role; readonly by: UserId }
  | { readonly type: 'remove-member'; readonly userId: UserId; readonly by: UserId }
  | {
      readonly type: 'create-identity';
      readonly identityId: IdentityId;
      readonly publicKey: string;
      readonly controller: UserId;
      readonly by: UserId;
    }
  | { readonly type: 'rotate-key'; readonly identityId: IdentityId; readonly publicKey: string; readonly by: UserId }
  | { readonly type: 'revoke-identity'; readonly identityId: IdentityId; readonly by: UserId }
  | { readonly type: 'close-account'; readonly by: UserId };
