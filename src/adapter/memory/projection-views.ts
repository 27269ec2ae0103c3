import type { Acting, BookRef, IdentityRow, PixbookViewRequest, View, ViewRequest } from '../../port/read-model.ts';
import { idempotencyDigestOf } from '../../projection/project.ts';
import type { Row, Rows } from '../../projection/rows.ts';
import type { Head } from '../../receipt/chain.ts';
import {
  type AccountId,
  type BookId,
  type CollectionId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_IDENTITY_ID,
  type PublicKeyId,
  type UserId,
} from '../../receipt/ids.ts';
import type { KeyRecord } from '../../receipt/key-history.ts';
import type { Stream, StreamOf } from '../../receipt/stream.ts';
import { type AccountState, noAccount } from '../../stream/account/evolve.ts';
import { type CodeState, noCode } from '../../stream/code/state.ts';
import type { CollectionState } from '../../stream/collection/state.ts';
import { type PixbookState, noPixbook } from '../../stream/pixbook/state.ts';
import { codeOfRow } from '../code-row.ts';
import { noSlice } from '../pixbook-row.ts';
import {
  accountStatusOfRow,
  bookRefOfRow,
  headOfRow,
  identityOfRow,
  invitationOfRow,
  keyRecordOfRow,
  memberOfRow,
  pixbookOfRow,
  planOfRow,
  seenOfRow,
  stateIdentityOfRow,
} from '../projection-row.ts';
import { rowWithDigest } from './digest-index.ts';
import { collectionStateIn, sliceIn } from './projection-slices.ts';
import { type MemoryTables, headRow } from './projection-tables.ts';

/** What the read model shows of tables in memory; see the port. Nothing here changes them. */

export const accountViewIn = (tables: MemoryTables, request: ViewRequest<StreamOf<'account'>>): View<AccountState> => {
  const state = accountStateIn(tables.rows, request.stream.accountId);
  const role = request.userId === null ? null : (state.members.get(request.userId) ?? null);
  return { ...sharedIn(tables, request), state, accountStatus: state.status, role, identity: null };
};

export const pixbookViewIn = (tables: MemoryTables, request: PixbookViewRequest): View<PixbookState> => {
  const { stream, concerns, identityId } = request;
  const { rows } = tables;
  const shared = sharedIn(tables, request);
  const row = rows.pixbooks.get(stream.bookId);
  const slice = concerns === undefined ? noSlice : sliceIn(rows, stream.bookId, concerns);
  const state = shared.head === null || row === undefined ? noPixbook : pixbookOfRow(row, shared.head, slice);
  const signer = { accountId: stream.accountId, identityId: state.status === 'absent' ? identityId : state.identityId };
  return { ...shared, state, ...actingIn(rows, signer, request.userId) };
};

export const collectionViewIn = (tables: MemoryTables, request: ViewRequest<StreamOf<'collection'>>): View<CollectionState> => ({
  ...sharedIn(tables, request),
  ...noTenant,
  state: collectionStateIn(tables.rows, request.stream.collectionId),
});

export const codeViewIn = (tables: MemoryTables, request: ViewRequest<StreamOf<'code'>>): View<CodeState> => {
  const row = tables.rows.codes.get(request.stream.codeId);
  return { ...sharedIn(tables, request), ...noTenant, state: row === undefined ? noCode : codeOfRow(row) };
};

const noTenant = { accountStatus: 'absent', role: null, identity: null } as const;

export const headIn = (rows: Rows, stream: Stream): Head | null => {
  const row = headRow(rows, stream);
  return row === null ? null : headOfRow(row);
};

export const keyRecordIn = (rows: Rows, identityId: IdentityId, publicKeyId: PublicKeyId): KeyRecord | null => {
  const [first] = [...rows.identity_keys.values()]
    .filter((row) => row.identity_id === identityId && row.public_key_id === publicKeyId)
    .sort((a, b) => Number(a.key_generation) - Number(b.key_generation));
  return first === undefined ? null : keyRecordOfRow(first);
};

export const latestGenerationIn = (rows: Rows, identityId: IdentityId, collectionId: CollectionId): number | null => {
  const generations = [...rows.pixbooks.values()]
    .filter((row) => row.identity_id === identityId && row.collection_id === collectionId)
    .map((row) => Number(row.generation));
  return generations.length === 0 ? null : Math.max(...generations);
};

/** The row of `receipts` under an idempotency key of a stream. */
export const receiptWithKey = (rows: Rows, stream: Stream, key: IdempotencyKey): Row | null =>
  rowWithDigest(rows.receipts, idempotencyDigestOf(stream, key)) ?? null;

export const bookIn = (rows: Rows, bookId: BookId): BookRef | null => {
  const row = rows.pixbooks.get(bookId);
  return row === undefined ? null : bookRefOfRow(row);
};

const sharedIn = (
  { rows, made }: MemoryTables,
  { stream, idempotencyKey, userId, actor }: ViewRequest,
): Pick<View<unknown>, 'epoch' | 'head' | 'seen' | 'operator' | 'acting'> => {
  const seen = receiptWithKey(rows, stream, idempotencyKey);
  return {
    epoch: String(made),
    head: headIn(rows, stream),
    seen: seen === null ? null : seenOfRow(seen),
    operator: identityIn(rows, OPERATOR_IDENTITY_ID),
    acting: actor ? actingIn(rows, actor, userId) : null,
  };
};

/** Another account's identity is as good as none. */
const actingIn = (
  rows: Rows,
  { accountId, identityId }: { readonly accountId: AccountId; readonly identityId: IdentityId | null },
  userId: UserId | null,
): Acting => {
  const account = accountStateIn(rows, accountId);
  const identity = identityIn(rows, identityId);
  return {
    accountStatus: account.status,
    role: userId === null ? null : (account.members.get(userId) ?? null),
    identity: identity?.accountId === accountId ? identity : null,
  };
};

const identityIn = (rows: Rows, identityId: IdentityId | null): IdentityRow | null => {
  const row = identityId === null ? undefined : rows.identities.get(identityId);
  return row === undefined ? null : identityOfRow(row);
};

const accountStateIn = (rows: Rows, accountId: AccountId): AccountState => {
  const account = rows.accounts.get(accountId);
  if (account === undefined) return noAccount;
  const ofAccount = (row: Row): boolean => row.account_id === accountId;
  return {
    status: accountStatusOfRow(account.status),
    plan: planOfRow(account.plan),
    invitations: new Map([...rows.account_invitations.values()].filter(ofAccount).map(invitationOfRow)),
    members: new Map([...rows.account_members.values()].filter(ofAccount).map(memberOfRow)),
    identities: new Map([...rows.identities.values()].filter(ofAccount).map(stateIdentityOfRow)),
  };
};
