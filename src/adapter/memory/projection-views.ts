import type { IdentityRow, View, ViewRequest } from '../../port/read-model.ts';
import { idempotencyDigestOf } from '../../projection/project.ts';
import type { Row, Rows } from '../../projection/rows.ts';
import type { Head } from '../../receipt/chain.ts';
import {
  type AccountId,
  type CollectionId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_IDENTITY_ID,
  type PublicKeyId,
} from '../../receipt/ids.ts';
import type { KeyRecord } from '../../receipt/key-history.ts';
import type { Stream, StreamOf } from '../../receipt/stream.ts';
import { type AccountState, noAccount } from '../../stream/account/evolve.ts';
import { noPixbook } from '../../stream/pixbook/evolve.ts';
import {
  accountStatusOfRow,
  headOfRow,
  identityOfRow,
  keyRecordOfRow,
  memberOfRow,
  pixbookOfRow,
  seenOfRow,
  stateIdentityOfRow,
} from '../projection-row.ts';
import { type MemoryTables, headRow } from './projection-tables.ts';

/** What the read model shows of tables in memory; see the port. Nothing here changes them. */

export const accountViewIn = (tables: MemoryTables, request: ViewRequest<StreamOf<'account'>>): View<AccountState> => {
  const state = accountStateIn(tables.rows, request.stream.accountId);
  const role = request.userId === null ? null : (state.members.get(request.userId) ?? null);
  return { ...sharedIn(tables, request), state, accountStatus: state.status, role, identity: null };
};

export const pixbookViewIn = (tables: MemoryTables, request: ViewRequest<StreamOf<'pixbook'>>) => {
  const { stream, userId } = request;
  const account = accountStateIn(tables.rows, stream.accountId);
  const shared = sharedIn(tables, request);
  const row = tables.rows.pixbooks.get(stream.bookId);
  const state = shared.head === null || row === undefined ? noPixbook : pixbookOfRow(row, shared.head);
  const identity = identityIn(tables.rows, state.status === 'absent' ? request.identityId : state.identityId);
  return {
    ...shared,
    state,
    accountStatus: account.status,
    role: userId === null ? null : (account.members.get(userId) ?? null),
    identity: identity?.accountId === stream.accountId ? identity : null,
  };
};

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
export const receiptWithKey = (rows: Rows, stream: Stream, key: IdempotencyKey): Row | null => {
  const digest = idempotencyDigestOf(stream, key);
  const isIt = ({ idempotency_digest: other }: Row): boolean => Buffer.isBuffer(other) && other.equals(digest);
  return [...rows.receipts.values()].find(isIt) ?? null;
};

const sharedIn = (
  { rows, made }: MemoryTables,
  { stream, idempotencyKey }: ViewRequest,
): Pick<View<unknown>, 'epoch' | 'head' | 'seen' | 'operator'> => {
  const seen = receiptWithKey(rows, stream, idempotencyKey);
  return {
    epoch: String(made),
    head: headIn(rows, stream),
    seen: seen === null ? null : seenOfRow(seen),
    operator: identityIn(rows, OPERATOR_IDENTITY_ID),
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
    members: new Map([...rows.account_members.values()].filter(ofAccount).map(memberOfRow)),
    identities: new Map([...rows.identities.values()].filter(ofAccount).map(stateIdentityOfRow)),
  };
};
