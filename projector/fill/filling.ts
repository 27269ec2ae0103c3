import { hash } from 'node:crypto';
import pg from 'pg';
import { withClient } from '../../src/adapter/postgres/pool.ts';
import { orOutage } from '../../src/adapter/postgres/postgres-outage.ts';
import { projectionSql } from '../../src/adapter/postgres/schema-text.ts';
import type { PublicKeyId } from '../../src/receipt/ids.ts';
import { PROJECTOR_VERSION } from '../../src/stream/event.ts';
import { type Indexing, createBare, dropSchemaOn } from '../fresh-schema.ts';
import { OPERATOR_PREFIX } from '../ledger-walk.ts';
import { endOfStream } from '../source.ts';

/**
 * How a projection is filled by several threads and processes, which may die and be started again at any time: what there is to do is
 * in tables beside it. `filling` has one row; `units` has a row for each part of the ledger that somebody has taken on, in the order of
 * keys. A unit's rows and the mark that it is done are one transaction, so that each part is in the projection once or not at all.
 */
export type Filling = {
  readonly schema: string;
  readonly indexing: Indexing;
  /** Whether keys, indexes and walls are up: then no unit is open any more. */
  readonly indexed: boolean;
  /** Whether it was begun by an earlier run. */
  readonly resumed: boolean;
};

export const fillingSchemaOf = (schema: string): string => `${schema}_filling`;

/** What two runs must agree on for one to go on where the other was stopped. */
export type FillingTerms = { readonly source: string; readonly trust: PublicKeyId | null };

const tablesSql = (name: string): readonly string[] => [
  `CREATE SCHEMA ${name}`,
  `CREATE TABLE ${name}.filling (
     terms text NOT NULL, indexing json NOT NULL, indexed boolean NOT NULL DEFAULT false,
     accounts_after text COLLATE "C", accounts_walked boolean NOT NULL DEFAULT false,
     others_after text COLLATE "C", others_walked boolean NOT NULL DEFAULT false)`,
  `CREATE TABLE ${name}.units (
     unit bigint PRIMARY KEY, phase text NOT NULL, after text COLLATE "C", last text COLLATE "C" NOT NULL, keys bigint NOT NULL,
     worker integer NOT NULL, done_at timestamptz(3), streams bigint, receipts bigint, report json)`,
  `CREATE INDEX units_open ON ${name}.units (unit) WHERE done_at IS NULL`,
];

/** As text: a program that makes other tables, or other rows, cannot go on with what this one began. */
const termsText = ({ source, trust }: FillingTerms): string =>
  JSON.stringify({
    version: PROJECTOR_VERSION,
    tables: hash('sha256', projectionSql('projection').join(';'), 'hex'),
    source,
    trust,
  });

/**
 * The filling of `schema`, begun anew, or gone on with where an earlier run was stopped if `resume` and the terms are the same. The caller
 * holds the lock that lets nobody else begin or end one. Throws `Outage`.
 */
export const openFilling = (
  pool: pg.Pool,
  schema: string,
  terms: FillingTerms,
  { resume }: { readonly resume: boolean },
): Promise<Filling> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      const begun = resume ? await begunFilling(client, schema, termsText(terms)) : null;
      if (begun !== null) return begun;
      await client.query('BEGIN');
      await dropSchemaOn(client, fillingSchemaOf(schema));
      await dropSchemaOn(client, schema);
      const indexing = await createBare(client, schema);
      for (const statement of tablesSql(fillingSchemaOf(schema))) await client.query(statement);
      await client.query(`INSERT INTO ${fillingSchemaOf(schema)}.filling (terms, indexing) VALUES ($1, $2)`, [
        termsText(terms),
        JSON.stringify(indexing),
      ]);
      // The first unit: whoever comes takes it over, for no process has a number below 0.
      await client.query(
        `INSERT INTO ${fillingSchemaOf(schema)}.units (unit, phase, last, keys, worker) VALUES (0, 'operator', $1, 0, -1)`,
        [endOfStream(OPERATOR_PREFIX)],
      );
      // A crash before this leaves what was there, after this an empty projection, with which the next run goes on.
      await client.query('COMMIT');
      return { schema, indexing, indexed: false, resumed: false };
    }),
  );

/** Null when there is nothing that could be gone on with. */
const begunFilling = async (client: pg.ClientBase, schema: string, terms: string): Promise<Filling | null> => {
  if (!(await isFilling(client, schema))) return null;
  const { rows } = await client.query<{ terms: string; indexing: string; indexed: boolean }>(
    `SELECT terms, indexing, indexed FROM ${fillingSchemaOf(schema)}.filling`,
  );
  const [begun] = rows;
  if (begun === undefined || begun.terms !== terms) return null;
  return { schema, indexing: JSON.parse(begun.indexing) as Indexing, indexed: begun.indexed, resumed: true };
};

/** Whether somebody has begun to fill this schema, and not ended. */
export const isFilling = async (client: pg.ClientBase, schema: string): Promise<boolean> => {
  const { rows } = await client.query<{ begun: boolean }>(
    `SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL AS begun`,
    [`${fillingSchemaOf(schema)}.filling`, `${schema}.receipts`],
  );
  return rows[0]?.begun === true;
};

/** Whether somebody who has these terms is filling this schema now, and has units left. Throws `Outage`. */
export const mayBeJoined = (pool: pg.Pool, schema: string, terms: FillingTerms): Promise<boolean> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      const begun = await begunFilling(client, schema, termsText(terms)).catch(isOver);
      return begun !== null && !begun.indexed;
    }),
  );

/** The tables may go between two statements. */
const isOver = (error: unknown): null => {
  if (error instanceof pg.DatabaseError && (error.code === UNDEFINED_TABLE || error.code === UNDEFINED_SCHEMA)) return null;
  throw error;
};

const UNDEFINED_TABLE = '42P01';
const UNDEFINED_SCHEMA = '3F000';

/** From here on the fresh projection can only be followed, compared and swapped. */
export const noteIndexed = (pool: pg.Pool, schema: string): Promise<unknown> =>
  orOutage(() => withClient(pool, (client) => client.query(`UPDATE ${fillingSchemaOf(schema)}.filling SET indexed = true`)));
