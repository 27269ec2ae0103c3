import type { Compilable, Kysely } from 'kysely';
import type { Page, PageRequest } from '../../port/ledger-queries.ts';
import type { DB } from '../../projection/tables.generated.ts';
import type { Scope } from './scope.ts';

/** What the queries are made of: SQL in a schema, and asking it of Postgres. */
export type Asking = {
  readonly db: Kysely<DB>;
  readonly ask: <Row>(scope: Scope, query: Compilable<Row>) => Promise<readonly Row[]>;
};

/** The columns of a head `h`, beside those of the thing itself, which has a `created_at` of its own. */
export const headColumns = ['h.position', 'h.event_id', 'h.hash', 'h.created_at as head_created_at'] as const;

/** A page from one row more than it may have: that one tells whether there are more. */
export const pageOf = <Row, Resource>(
  rows: readonly Row[],
  { limit }: PageRequest<string>,
  parse: (row: Row) => Resource,
): Page<Resource> => ({ rows: rows.slice(0, limit).map(parse), hasMore: rows.length > limit });
