import { Outage } from '../../port/outage.ts';
import type { IdentityRow, ReadModel, Seen, View, ViewRequest } from '../../port/read-model.ts';
import { idempotencyDigestOf } from '../../projection/project.ts';
import type { ProjectedTable } from '../../projection/row-change.ts';
import { type Row, type Rows, type TableDump, dumpRows, noRows } from '../../projection/rows.ts';
import type { Head } from '../../receipt/chain.ts';
import { type AccountId, OPERATOR_IDENTITY_ID } from '../../receipt/ids.ts';
import { prefixOf } from '../../receipt/key-path.ts';
import type { Stream, StreamOf } from '../../receipt/stream.ts';
import { type AccountState, noAccount } from '../../stream/account/evolve.ts';
import { type PixbookState, noPixbook } from '../../stream/pixbook/evolve.ts';
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
import { type MemoryTables, applyTo, headRow, memoryTables } from './projection-tables.ts';

export type MemoryReadModel = ReadModel & {
  /** Every table in order of its primary key, bytea as hex: two dumps are equal exactly when the tables are. */
  readonly dump: () => { readonly [T in ProjectedTable]: TableDump };
  /** Drops the projection and makes it anew, empty, as an operator may at any moment. */
  readonly wipe: () => void;
};

/**
 * The projection in RAM, for tests: the port's contract without durability, each call done at once and without timers. Two read models
 * on one `tables` are two processes on one Postgres.
 */
export const memoryReadModel = (tables: MemoryTables = memoryTables()): MemoryReadModel => {
  let closed = false;
  const snapshot = () => {
    if (closed) throw new Outage('postgres', 'postgres-unavailable', 'the read model in memory was closed');
    return tables.rows;
  };

  const seen = (stream: Stream, { idempotencyKey }: ViewRequest): Seen | null => {
    const digest = idempotencyDigestOf(stream, idempotencyKey);
    const row = find('receipts', ({ idempotency_digest }) => digest.equals(bufferOf(idempotency_digest)));
    return row === null ? null : seenOfRow(row);
  };
  const find = (table: ProjectedTable, matches: (row: Row) => boolean): Row | null =>
    [...snapshot()[table].values()].find(matches) ?? null;
  const identity = (identityId: string | null): IdentityRow | null => {
    const row = identityId === null ? undefined : snapshot().identities.get(identityId);
    return row === undefined ? null : identityOfRow(row);
  };
  const shared = <S extends Stream>(request: ViewRequest<S>): Pick<View<unknown>, 'epoch' | 'head' | 'seen' | 'operator'> => {
    const head = headRow(snapshot(), request.stream);
    return {
      epoch: String(tables.made),
      head: head === null ? null : headOfRow(head),
      seen: seen(request.stream, request),
      operator: identity(OPERATOR_IDENTITY_ID),
    };
  };

  return {
    accountView: async (request) => {
      const state = accountStateOf(snapshot(), request.stream.accountId);
      const role = request.userId === null ? null : (state.members.get(request.userId) ?? null);
      return { ...shared(request), state, accountStatus: state.status, role, identity: null };
    },
    pixbookView: async (request) => {
      const { stream, userId } = request;
      const account = accountStateOf(snapshot(), stream.accountId);
      const same = shared(request);
      const state = pixbookStateOf(snapshot(), stream, same.head);
      const whose = identity(state.status === 'absent' ? request.identityId : state.identityId);
      return {
        ...same,
        state,
        accountStatus: account.status,
        role: userId === null ? null : (account.members.get(userId) ?? null),
        identity: whose?.accountId === stream.accountId ? whose : null,
      };
    },
    head: async (stream) => {
      const row = headRow(snapshot(), stream);
      return row === null ? null : headOfRow(row);
    },
    keyRecord: async (identityId, publicKeyId) => {
      const records = [...snapshot().identity_keys.values()].filter(
        (row) => row.identity_id === identityId && row.public_key_id === publicKeyId,
      );
      const [first] = records.sort((a, b) => Number(a.key_generation) - Number(b.key_generation));
      return first === undefined ? null : keyRecordOfRow(first);
    },
    latestGeneration: async (identityId, collectionId) => {
      const generations = [...snapshot().pixbooks.values()]
        .filter((row) => row.identity_id === identityId && row.collection_id === collectionId)
        .map((row) => Number(row.generation));
      return generations.length === 0 ? null : Math.max(...generations);
    },
    streamWithKey: async (streams, key) =>
      streams.find((stream) => {
        const digest = idempotencyDigestOf(stream, key);
        return (
          find('receipts', (row) => digest.equals(bufferOf(row.idempotency_digest)) && row.stream === prefixOf(stream)) !== null
        );
      }) ?? null,
    apply: async (application) => {
      snapshot();
      return applyTo(tables, application);
    },
    check: async () => {
      snapshot();
    },
    close: async () => {
      closed = true;
    },
    dump: () => dumpRows(tables.rows),
    wipe: () => {
      tables.rows = noRows();
      tables.made++;
    },
  };
};

const accountStateOf = (rows: Rows, accountId: AccountId): AccountState => {
  const account = rows.accounts.get(accountId);
  if (account === undefined) return noAccount;
  const ofAccount = (row: Row): boolean => row.account_id === accountId;
  return {
    status: accountStatusOfRow(account.status),
    members: new Map([...rows.account_members.values()].filter(ofAccount).map(memberOfRow)),
    identities: new Map([...rows.identities.values()].filter(ofAccount).map(stateIdentityOfRow)),
  };
};

const pixbookStateOf = (rows: Rows, stream: StreamOf<'pixbook'>, head: Head | null): PixbookState => {
  const row = rows.pixbooks.get(stream.bookId);
  return head === null || row === undefined ? noPixbook : pixbookOfRow(row, head);
};

const bufferOf = (value: Row[string] | undefined): Buffer => (Buffer.isBuffer(value) ? value : Buffer.alloc(0));
