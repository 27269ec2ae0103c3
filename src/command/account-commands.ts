import { mayCreateIdentity, mayKeepAccount, mayOperate, mayRemoveMember, maySignAs } from '../access/authorise.ts';
import type { IdentityRow, View } from '../port/read-model.ts';
import { keyNameOf } from '../port/signer.ts';
import { publicKeyIdOf } from '../receipt/hash.ts';
import {
  type AccountId,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  accountIdFor,
  identityIdFor,
  invitationIdFor,
} from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { accountStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import type { AccountCommand } from '../stream/account/command.ts';
import { decideAccount } from '../stream/account/decide.ts';
import type { AccountEventType } from '../stream/account/event.ts';
import type { AccountState } from '../stream/account/evolve.ts';
import type { Here } from '../stream/here.ts';
import { type AppendParts, append } from './append.ts';
import { fromSigner } from './deadline.ts';
import type { Intent } from './intent.ts';
import type { CommandContext, CommandRefusal, LedgerCommands } from './ledger-commands.ts';

type AccountView = View<AccountState>;

/** What differs from one account command to the next. */
type AccountRequest = {
  readonly accountId: AccountId;
  readonly asked: { readonly type: AccountEventType; readonly payload: JsonObject };
  readonly authorise: (view: AccountView) => Result<void, CommandRefusal>;
  /** Name of a key pair that must exist before the decision, or null. */
  readonly newKey?: (view: AccountView) => { identityId: IdentityId; keyGeneration: number } | null;
  /** `publicKey` is base64 of the new key's SPKI DER; empty when none was asked for. */
  readonly command: (publicKey: string, here: Here) => AccountCommand;
  /** The command is an operator's word, not a member's. */
  readonly byOperator?: boolean;
};

type AccountCommands = Pick<
  LedgerCommands,
  | 'createAccount'
  | 'addMember'
  | 'changeMemberRole'
  | 'removeMember'
  | 'closeAccount'
  | 'inviteMember'
  | 'acceptInvitation'
  | 'withdrawInvitation'
  | 'suspendAccount'
  | 'resumeAccount'
  | 'changePlan'
  | 'createIdentity'
  | 'rotateKey'
  | 'revokeIdentity'
>;

/** The commands of account streams. */
export const accountCommands = (parts: AppendParts): AccountCommands => {
  const run = (context: CommandContext, request: AccountRequest) => append(parts, intentOf(parts, context, request));
  return {
    createAccount: (context) =>
      run(context, {
        accountId: accountIdFor(context.userId, context.idempotencyKey),
        asked: { type: 'ACCOUNT_CREATED', payload: { owner: { userId: context.userId } } },
        authorise: () => ok(undefined), // any signed-in user; the id is derived from the user, so it can be nobody else's
        command: () => ({ type: 'create-account', owner: context.userId }),
      }),
    addMember: (context, accountId, { userId, role }) =>
      run(context, {
        accountId,
        asked: { type: 'MEMBER_ADDED', payload: { userId, role } },
        authorise: keepsAccount(context),
        command: () => ({ type: 'add-member', userId, role, by: context.userId }),
      }),
    changeMemberRole: (context, accountId, { userId, role }) =>
      run(context, {
        accountId,
        asked: { type: 'MEMBER_ROLE_CHANGED', payload: { userId, role } },
        authorise: keepsAccount(context),
        command: () => ({ type: 'change-member-role', userId, role, by: context.userId }),
      }),
    removeMember: (context, accountId, userId) =>
      run(context, {
        accountId,
        asked: { type: 'MEMBER_REMOVED', payload: { userId } },
        authorise: (view) => mayRemoveMember({ ...view, userId: context.userId }, userId),
        command: () => ({ type: 'remove-member', userId, by: context.userId }),
      }),
    closeAccount: (context, accountId) =>
      run(context, {
        accountId,
        asked: { type: 'ACCOUNT_CLOSED', payload: {} },
        authorise: keepsAccount(context),
        command: () => ({ type: 'close-account', by: context.userId }),
      }),
    ...invitationCommands(run),
    ...operatorCommands(run),
    ...identityCommands(run),
  };
};

type Run = (context: CommandContext, request: AccountRequest) => ReturnType<LedgerCommands['createAccount']>;

const invitationCommands = (run: Run): Pick<LedgerCommands, 'inviteMember' | 'acceptInvitation' | 'withdrawInvitation'> => ({
  inviteMember: (context, accountId, role) => {
    const invitationId = invitationIdFor(accountId, context.idempotencyKey);
    return run(context, {
      accountId,
      asked: { type: 'MEMBER_INVITED', payload: { invitationId, role } },
      authorise: keepsAccount(context),
      command: (_key, { at }) => ({ type: 'invite-member', invitationId, role, at, by: context.userId }),
    });
  },
  acceptInvitation: (context, accountId, invitationId) => {
    const { userId } = context;
    return run(context, {
      accountId,
      asked: { type: 'INVITATION_ACCEPTED', payload: { invitationId, userId } },
      // Whoever comes here has shown the invitation's secret; what it is of must still be there.
      authorise: ({ accountStatus }) => (accountStatus === 'absent' ? noSuchAccount : ok(undefined)),
      command: (_key, { at }) => ({ type: 'accept-invitation', invitationId, userId, at }),
    });
  },
  withdrawInvitation: (context, accountId, invitationId) =>
    run(context, {
      accountId,
      asked: { type: 'INVITATION_WITHDRAWN', payload: { invitationId } },
      authorise: keepsAccount(context),
      command: () => ({ type: 'withdraw-invitation', invitationId, by: context.userId }),
    }),
});

const noSuchAccount: Result<never, CommandRefusal> = err({ code: 'not-found', detail: 'there is no such resource' });

/** What operators say of any account, signed like all of its stream by the operator's identity. */
const operatorCommands = (run: Run): Pick<LedgerCommands, 'suspendAccount' | 'resumeAccount' | 'changePlan'> => {
  const byOperator = {
    byOperator: true,
    authorise: ({ acting }: AccountView) => mayOperate({ role: acting?.role ?? null }),
  } as const;
  return {
    suspendAccount: (context, accountId, reason) =>
      run(context, {
        ...byOperator,
        accountId,
        asked: { type: 'ACCOUNT_SUSPENDED', payload: { reason } },
        command: () => ({ type: 'suspend-account', reason, by: context.userId }),
      }),
    resumeAccount: (context, accountId) =>
      run(context, {
        ...byOperator,
        accountId,
        asked: { type: 'ACCOUNT_RESUMED', payload: {} },
        command: () => ({ type: 'resume-account', by: context.userId }),
      }),
    changePlan: (context, accountId, plan) =>
      run(context, {
        ...byOperator,
        accountId,
        asked: { type: 'ACCOUNT_PLAN_CHANGED', payload: { plan } },
        command: () => ({ type: 'change-plan', plan, by: context.userId }),
      }),
  };
};

const identityCommands = (run: Run): Pick<LedgerCommands, 'createIdentity' | 'rotateKey' | 'revokeIdentity'> => ({
  createIdentity: (context, accountId, controller) => {
    const identityId = identityIdFor(accountId, context.idempotencyKey);
    return run(context, {
      accountId,
      asked: { type: 'IDENTITY_CREATED', payload: { identityId, controller } },
      authorise: (view) => mayCreateIdentity({ ...view, userId: context.userId }, controller),
      newKey: () => ({ identityId, keyGeneration: 1 }),
      command: (publicKey) => ({ type: 'create-identity', identityId, publicKey, controller, by: context.userId }),
    });
  },
  rotateKey: (context, accountId, identityId) =>
    run(context, {
      accountId,
      asked: { type: 'IDENTITY_KEY_ROTATED', payload: { identityId } },
      authorise: keepsOrSigns(context, identityId),
      newKey: ({ state }) => {
        const identity = state.identities.get(identityId);
        return identity?.status === 'active' ? { identityId, keyGeneration: identity.keyGeneration + 1 } : null;
      },
      command: (publicKey) => ({ type: 'rotate-key', identityId, publicKey, by: context.userId }),
    }),
  revokeIdentity: (context, accountId, identityId) =>
    run(context, {
      accountId,
      asked: { type: 'IDENTITY_REVOKED', payload: { identityId } },
      authorise: keepsOrSigns(context, identityId),
      command: () => ({ type: 'revoke-identity', identityId, by: context.userId }),
    }),
});

const keepsAccount =
  (context: CommandContext) =>
  (view: AccountView): Result<void, CommandRefusal> =>
    mayKeepAccount({ ...view, userId: context.userId });

/** Whoever may sign as an identity may rotate or revoke its key. Revoked ones are left to `decide`, so that a replayed key is answered. */
const keepsOrSigns =
  (context: CommandContext, identityId: IdentityId) =>
  (view: AccountView): Result<void, CommandRefusal> => {
    const identity = view.state.identities.get(identityId);
    const asking = { ...view, accountStatus: view.accountStatus === 'absent' ? view.accountStatus : ('open' as const) };
    return maySignAs(
      { ...asking, userId: context.userId },
      identity === undefined ? null : { identityId, controller: identity.controller, status: 'active' },
    );
  };

const intentOf = (parts: AppendParts, context: CommandContext, request: AccountRequest): Intent<AccountState, string> => {
  const stream = accountStream(request.accountId);
  const { userId, idempotencyKey, ifMatch } = context;
  const actor = request.byOperator === true ? { accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID } : null;
  return {
    stream,
    idempotencyKey,
    ifMatch,
    asked: request.asked,
    view: (readModel) => readModel.accountView({ stream, idempotencyKey, userId, identityId: null, actor }),
    authorise: request.authorise,
    // A crash after the key pair was made leaves a key nobody knows of; the retry finds and uses it.
    prepare: async (view) => {
      const key = request.newKey?.(view) ?? null;
      if (key === null) return '';
      const spki = await fromSigner(parts, () => parts.signer.createKey(keyNameOf(key.identityId, key.keyGeneration)));
      return Buffer.from(spki).toString('base64');
    },
    decide: ({ state }, publicKey, here) => decideAccount(request.accountId, state, request.command(publicKey, here)),
    ...(request.byOperator === true ? { restsOn: [OPERATOR_ACCOUNT_ID] } : {}),
    stateOf: ({ state }) => ({ type: 'account', state }),
    issuer: (view, { identityId }) => {
      if (identityId === OPERATOR_IDENTITY_ID) return view.operator;
      return identityId === null ? null : identityRow(request.accountId, view.state, identityId);
    },
  };
};

const identityRow = (accountId: AccountId, state: AccountState, identityId: IdentityId): IdentityRow | null => {
  const identity = state.identities.get(identityId);
  if (identity === undefined) return null;
  const publicKeyId = publicKeyIdOf(Buffer.from(identity.publicKey, 'base64'));
  return { identityId, accountId, publicKeyId, ...identity };
};
