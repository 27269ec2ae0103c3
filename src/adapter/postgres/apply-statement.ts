import { hash } from 'node:crypto';
import { limits } from '../../limits.ts';
import type { Application } from '../../port/read-model.ts';
import { primaryKeys } from '../../projection/row-change.ts';
import type { Value } from '../../projection/rows.ts';
import { type Part, type Shape, partsOf } from './apply-parts.ts';
import { typeOf } from './columns.ts';

/** One statement for `pg`. It answers a row `{n}` for each application, numbered from 0, whose head moved. */
export type ApplyStatement = {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly (Value | readonly Value[])[];
};

/**
 * Makes the statements that apply receipts of different streams together, all or nothing: each head moves from its predecessor, and
 * the rows of those whose head moved change with it. Every part sees the database as it was before the statement, which is why a
 * stream may come only once.
 *
 * Heads move first, in the order given: sort by stream, so that two processes lock in the same order. Whoever finds a head locked
 * waits, and then sees that it has left the predecessor. An update or delete that finds no row fails the statement.
 */
export const applyStatements = (schema: string): ((applications: readonly Application[]) => ApplyStatement) => {
  const texts = new Map<string, Omit<ApplyStatement, 'values'>>();
  return (applications) => {
    const parts = partsOf(applications);
    // A lone receipt is worth a text of its own: without arrays it costs Postgres a fifth less, and a lone command waits for it.
    const forms = parts.map(({ shape, numbers }) => ({ shape, single: applications.length === 1 && numbers.length === 1 }));
    const mixture = forms.map(({ shape, single }) => `${single ? 'one' : 'many'} ${shape.name}`).join('; ');
    const statement = texts.get(mixture) ?? named(textOf(schema, forms), texts.size);
    if (statement.name !== undefined) texts.set(mixture, statement);
    return { ...statement, values: parts.flatMap((part, k) => valuesOf(part, forms[k]?.single ?? false)) };
  };
};

/** A part in SQL: of a single row without arrays. */
type Form = { readonly shape: Shape; readonly single: boolean };

/** A connection keeps what it prepared under a name: beyond the limit, rare mixtures are parsed each time. */
const named = (text: string, others: number): Omit<ApplyStatement, 'values'> =>
  others < limits.databasePreparedStatements ? { name: `apply_${hash('sha256', text, 'hex').slice(0, 32)}`, text } : { text };

const valuesOf = ({ numbers, values }: Part, single: boolean): ApplyStatement['values'] => {
  const columns = [numbers, ...values];
  return single ? columns.map(([value = null]) => value) : columns;
};

/** The statement for parts of these forms, in this order. Part k reads its rows from `rows{k}` and is called `part{k}`. */
const textOf = (schema: string, forms: readonly Form[]): string => {
  let parameter = 0;
  const clauses: string[] = [];
  const moved: string[] = [];
  const lost: string[] = [];
  for (const [k, { shape, single }] of forms.entries()) {
    const inputs = ['integer', ...typesOf(shape)].map((type) => `$${++parameter}::${type}${single ? '' : '[]'}`).join(', ');
    const isHead = shape.kind === 'first-head' || shape.kind === 'next-head';
    if (!isHead && moved.length > 0) clauses.push(`moved(n) AS (${moved.splice(0).join(' UNION ALL ')})`);
    clauses.push(
      `rows${k}(${['n', ...shape.key, ...shape.set].join(', ')}) AS (${single ? `SELECT ${inputs}` : `SELECT * FROM unnest(${inputs})`})`,
      `part${k} AS (${sqlOf(schema, shape, `rows${k}`)})`,
    );
    if (shape.kind === 'first-head') moved.push(`SELECT n FROM rows${k} JOIN part${k} USING (${primaryKeyOf(shape)})`);
    if (shape.kind === 'next-head') moved.push(`SELECT n FROM part${k}`);
    if (shape.kind === 'update' || shape.kind === 'delete') lost.push(lostRow(k, shape));
  }
  if (moved.length > 0) clauses.push(`moved(n) AS (${moved.join(' UNION ALL ')})`);
  return `WITH ${clauses.join(',\n')}\n${['SELECT n FROM moved', ...lost].join('\nUNION ALL ')}`;
};

const sqlOf = (schema: string, { kind, table, key, set }: Shape, rows: string): string => {
  const target = `${table === 'redo_outbox' ? 'ops' : schema}.${table} AS t`;
  const columns = set.join(', ');
  const assignments = set.map((column) => `${column} = r.${column}`).join(', ');
  const found = key.map((column) => `t.${column.replace(/_before$/, '')} = r.${column}`).join(' AND ');
  switch (kind) {
    case 'first-head':
      return `INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${rows} ON CONFLICT DO NOTHING RETURNING t.*`;
    case 'next-head':
      return `UPDATE ${target} SET ${assignments} FROM ${rows} AS r WHERE ${found} RETURNING r.n`;
    case 'insert':
      return `INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${rows} JOIN moved USING (n)`;
    case 'update':
      return `UPDATE ${target} SET ${assignments} FROM ${rows} AS r JOIN moved USING (n) WHERE ${found} RETURNING 1`;
    case 'delete':
      return `DELETE FROM ${target} USING ${rows} AS r JOIN moved USING (n) WHERE ${found} RETURNING 1`;
    // A row that is there was written when this receipt was applied to an earlier projection, and may be done by now.
    case 'redo':
      return `INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${rows} JOIN moved USING (n) ON CONFLICT DO NOTHING`;
  }
};

/** Casting a text that is no number fails the statement with that text in the message: SQL has no other way to say so in one statement. */
const lostRow = (k: number, { kind, table }: Shape): string =>
  `SELECT ('no row to ${kind} in ${table}: ' || expected)::integer ` +
  `FROM (SELECT count(*) AS expected FROM rows${k} JOIN moved USING (n)) AS e WHERE expected <> (SELECT count(*) FROM part${k})`;

const primaryKeyOf = ({ table }: Shape): string => (table === 'redo_outbox' ? '' : primaryKeys[table].join(', '));

const typesOf = ({ table, key, set }: Shape): readonly string[] =>
  [...key, ...set].map((column) => {
    const name = column.replace(/_before$/, '');
    if (table !== 'redo_outbox') return typeOf(table, name);
    return name === 'created_at' ? 'timestamptz' : 'text';
  });
