import type { DB } from './tables.generated.ts';

/** Tables that are made from receipts. */
export type ProjectedTable =
  | 'accounts'
  | 'account_members'
  | 'account_invitations'
  | 'identities'
  | 'identity_keys'
  | 'pixbooks'
  | 'collections'
  | 'collection_versions'
  | 'retired_series'
  | 'drops'
  | 'codes'
  | 'packs'
  | 'card_instances'
  | 'trades'
  | 'trade_reservations'
  | 'account_ledger_heads'
  | 'pixbook_ledger_heads'
  | 'collection_ledger_heads'
  | 'code_ledger_heads'
  | 'receipts';

/** The primary key of each table: what an update or a delete names, and the order of digests and dumps. */
export const primaryKeys = {
  accounts: ['account_id'],
  account_members: ['account_id', 'user_id'],
  account_invitations: ['invitation_id'],
  identities: ['identity_id'],
  identity_keys: ['identity_id', 'key_generation'],
  pixbooks: ['book_id'],
  collections: ['collection_id'],
  collection_versions: ['collection_id', 'version'],
  retired_series: ['collection_id', 'series_id'],
  drops: ['drop_id'],
  codes: ['code_id'],
  packs: ['book_id', 'pack_id'],
  card_instances: ['book_id', 'instance_id'],
  trades: ['trade_id'],
  trade_reservations: ['book_id', 'trade_id'],
  account_ledger_heads: ['account_id'],
  pixbook_ledger_heads: ['book_id'],
  collection_ledger_heads: ['collection_id'],
  code_ledger_heads: ['code_id'],
  receipts: ['event_id'],
} as const satisfies { readonly [T in ProjectedTable]: readonly (keyof DB[T])[] };

export type KeyColumn<T extends ProjectedTable> = (typeof primaryKeys)[T][number] & keyof DB[T];
export type KeyOf<T extends ProjectedTable> = { readonly [C in KeyColumn<T>]: DB[T][C] };

/**
 * One change of one row, by primary key. A receipt changes a row at most once, and never rows of another stream.
 * `insert` demands that the row is new; `update` and `delete` that it is there.
 */
export type RowChange = {
  [T in ProjectedTable]:
    | { readonly op: 'insert'; readonly table: T; readonly row: Readonly<DB[T]> }
    | { readonly op: 'update'; readonly table: T; readonly key: KeyOf<T>; readonly set: Readonly<Partial<DB[T]>> }
    | { readonly op: 'delete'; readonly table: T; readonly key: KeyOf<T> };
}[ProjectedTable];

/** What must follow from a receipt in another stream, written to `ops.redo_outbox` with its rows. */
export type Redo = { readonly target: string; readonly kind: RedoKind };

/** `issue-code-pack` follows from a claim, `complete-trade` (accept and settle, or release) from a reservation. */
export const redoKinds = ['issue-code-pack', 'complete-trade'] as const;
export type RedoKind = (typeof redoKinds)[number];
