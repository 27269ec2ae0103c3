import pg from 'pg';
import { z } from 'zod';
import { AUTH_SCHEMA, type Statements } from './auth-database.ts';

/** A table that better-auth made, with its columns in their order. */
export type AuthTable = { readonly name: string; readonly columns: readonly string[] };

const row = z.strictObject({ name: z.string(), columns: z.array(z.string()), references: z.array(z.string()) });

const TABLES = `select c.relname::text as name,
    (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    array(select distinct r.relname::text from pg_constraint k join pg_class r on r.oid = k.confrelid
      where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as references
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = '${AUTH_SCHEMA}' and c.relkind = 'r' order by c.relname`;

/** All tables of the schema, whichever plugins asked for them; a table comes after those it refers to. */
export const authTables = async (statements: Statements): Promise<readonly AuthTable[]> => {
  const { rows } = await statements.query<Record<string, unknown>>(TABLES);
  let left = rows.map((each) => row.parse(each));
  const ordered: AuthTable[] = [];
  while (left.length > 0) {
    const names = new Set(left.map(({ name }) => name));
    const ready = left.filter(({ references }) => references.every((name) => !names.has(name)));
    if (ready.length === 0) throw new Error(`the tables ${[...names].join(', ')} refer to each other in a circle`);
    ordered.push(...ready.map(({ name, columns }) => ({ name, columns })));
    left = left.filter((each) => !ready.includes(each));
  }
  return ordered;
};

/** `auth."user"` */
export const qualified = ({ name }: AuthTable): string => `${AUTH_SCHEMA}.${pg.escapeIdentifier(name)}`;
