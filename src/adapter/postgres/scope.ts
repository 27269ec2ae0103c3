import { type AccountId, OPERATOR_ACCOUNT_ID } from '../../receipt/ids.ts';
import type { Stream } from '../../receipt/stream.ts';

/**
 * Whose rows a statement serves: row-level security shows and takes no others (the policies at the end of schema.sql). `directory`: a
 * look-up that tells whose an id is, and may read the few columns that say so and nothing else.
 */
export type Scope = { readonly accounts: readonly AccountId[] } | 'directory';

/** Of statements on what belongs to no tenant: collections, `ops`, the catalogue. Tables of tenants are empty to them. */
export const noTenant: Scope = { accounts: [] };

/** Codes are the operator's, whoever claims them. */
export const issuers: Scope = { accounts: [OPERATOR_ACCOUNT_ID] };

export const tenants = (...accounts: readonly AccountId[]): Scope => ({ accounts: [...new Set(accounts)] });

/** The accounts that rows of a stream belong to: none of a collection's do. */
export const accountsOf = (stream: Stream): readonly AccountId[] => {
  switch (stream.type) {
    case 'account':
    case 'pixbook':
      return [stream.accountId];
    case 'code':
      return [OPERATOR_ACCOUNT_ID];
    case 'collection':
      return [];
  }
};

export const scopeOf = (streams: readonly Stream[]): Scope => tenants(...streams.flatMap(accountsOf));
