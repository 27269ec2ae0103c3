import { readFileSync } from 'node:fs';

/** `schema.sql` without its comments, a statement an entry. It holds neither `--` nor `;` inside a statement (a test sees to it). */
const statements: readonly string[] = readFileSync(new URL('../../../schema.sql', import.meta.url), 'utf8')
  .replaceAll(/--.*$/gm, '')
  .split(';')
  .map((statement) => statement.trim())
  .filter((statement) => statement !== '');

const isAbout = (schema: 'projection' | 'ops') => (statement: string) => new RegExp(`\\b${schema}\\b`).test(statement);

/** Names a schema may have without quoting: the ones we give. Throws TypeError for any other. */
export const requireSchemaName = (name: string): string => {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new TypeError('a schema is named by lower-case letters, digits and _');
  return name;
};

/** Who may read and write what: without these, a table's owner alone. */
const isWall = (statement: string): boolean =>
  /^(GRANT|REVOKE|CREATE FUNCTION|CREATE POLICY) |ROW LEVEL SECURITY/.test(statement);

/** The statements that make the projection's schema under a name, with its version on it. Nobody but their maker reaches its tables. */
export const projectionSql = (name: string): readonly string[] => named(name, (statement) => !isWall(statement));

/** The statements that put up the tenant walls of such a schema, and let the roles of the ledger in. */
export const wallsSql = (name: string): readonly string[] => named(name, isWall);

const named = (name: string, isWanted: (statement: string) => boolean): readonly string[] =>
  statements
    .filter((statement) => isAbout('projection')(statement) && isWanted(statement))
    .map((statement) => statement.replaceAll(/\bprojection\b(?=\.)|(?<=\bSCHEMA )projection\b/g, requireSchemaName(name)));

/** The statements that make what is missing of `ops`. */
export const opsSql = (): readonly string[] =>
  statements
    .filter((statement) => isAbout('ops')(statement) && !isAbout('projection')(statement))
    .map((statement) => statement.replace(/^CREATE (SCHEMA|(?:UNLOGGED )?TABLE|(?:UNIQUE )?INDEX) /, 'CREATE $1 IF NOT EXISTS '));

const tablesIn = (schema: string): readonly string[] =>
  statements.flatMap((statement) => new RegExp(`^CREATE (?:UNLOGGED )?TABLE ${schema}\\.(\\w+)`).exec(statement)?.[1] ?? []);

/** The tables of the projection and of `ops`, in the order of schema.sql. */
export const projectionTables = tablesIn('projection');
export const opsTables = tablesIn('ops');
