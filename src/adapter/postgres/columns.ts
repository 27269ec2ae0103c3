import type { ProjectedTable } from '../../projection/row-change.ts';
import type { DB } from '../../projection/tables.generated.ts';

export type SqlType = 'text' | 'integer' | 'bigint' | 'timestamptz' | 'json' | 'bytea';

/**
 * The columns of each table in the fixed order of digests, with the types that arrays of them are sent as. Compared with schema.sql by
 * a test; the names are checked by the compiler.
 */
export const columnTypes = {
  accounts: { account_id: 'text', status: 'text', created_at: 'timestamptz', closed_at: 'timestamptz' },
  account_members: { account_id: 'text', user_id: 'text', role: 'text', since: 'timestamptz' },
  identities: {
    identity_id: 'text',
    account_id: 'text',
    status: 'text',
    controller: 'text',
    public_key_id: 'text',
    public_key: 'text',
    key_generation: 'integer',
    created_at: 'timestamptz',
    revoked_at: 'timestamptz',
  },
  identity_keys: {
    identity_id: 'text',
    key_generation: 'integer',
    account_id: 'text',
    public_key_id: 'text',
    public_key: 'text',
    from_position: 'bigint',
    valid_from: 'timestamptz',
    until_position: 'bigint',
    valid_until: 'timestamptz',
  },
  pixbooks: {
    book_id: 'text',
    account_id: 'text',
    identity_id: 'text',
    collection_id: 'text',
    generation: 'integer',
    status: 'text',
    state: 'json',
    state_event_id: 'text',
    created_at: 'timestamptz',
    saved_at: 'timestamptz',
    closed_at: 'timestamptz',
  },
  account_ledger_heads: { account_id: 'text', position: 'bigint', event_id: 'text', hash: 'text', created_at: 'timestamptz' },
  pixbook_ledger_heads: {
    book_id: 'text',
    account_id: 'text',
    position: 'bigint',
    event_id: 'text',
    hash: 'text',
    created_at: 'timestamptz',
  },
  receipts: {
    event_id: 'text',
    stream: 'text',
    account_id: 'text',
    position: 'bigint',
    type: 'text',
    hash: 'text',
    created_at: 'timestamptz',
    idempotency_digest: 'bytea',
    fingerprint: 'bytea',
  },
} as const satisfies { readonly [T in ProjectedTable]: { readonly [C in keyof DB[T]]-?: SqlType } };

/** The columns of a table in their fixed order. */
export const columnsOf = (table: ProjectedTable): readonly string[] => Object.keys(columnTypes[table]);

/** The type of a column. Throws TypeError for a column the table does not have: row changes are typed, so that is a bug. */
export const typeOf = (table: ProjectedTable, column: string): SqlType => {
  const types: { readonly [column: string]: SqlType | undefined } = columnTypes[table];
  const type = types[column];
  if (type === undefined) throw new TypeError(`no column ${column} in ${table}`);
  return type;
};
