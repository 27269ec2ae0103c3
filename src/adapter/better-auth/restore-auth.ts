import pg from 'pg';
import { limits } from '../../limits.ts';
import { type Result, err, ok } from '../../result.ts';
import { AUTH_LOCK, type Statements, inTransaction } from './auth-database.ts';
import { type AuthTable, authTables, qualified } from './auth-tables.ts';
import { type AuthBackupFault, type BackupRow, UnreadableBackup } from './backup-format.ts';
import { isValueFault } from './postgres-fault.ts';
import { type BackupReader, openBackup } from './read-backup.ts';

/** `restored`: all rows of the file are in. `not-needed`: somebody is there already. `no-file`: there is nothing to restore. */
export type RestoreOutcome = 'restored' | 'not-needed' | 'no-file';

/**
 * Fills the tables of the schema `auth` from a file of `backupAuth`, if all of them are empty. All or nothing, in one transaction: a file
 * that is cut off, changed or of other tables is answered with a fault, and nothing was restored. Throws `Outage`, and the file system's
 * errors as they are.
 */
export const restoreAuth = async (pool: pg.Pool, file: string): Promise<Result<RestoreOutcome, AuthBackupFault>> => {
  try {
    return ok(await inTransaction(pool, 'read write', (statements) => restoreIfEmpty(statements, file)));
  } catch (error) {
    if (error instanceof UnreadableBackup) return err({ code: error.code, file, detail: error.message });
    if (isValueFault(error)) return err({ code: 'auth-backup-malformed', file, detail: 'Postgres refuses one of its values' });
    throw error;
  }
};

const restoreIfEmpty = async (statements: Statements, file: string): Promise<RestoreOutcome> => {
  await statements.query(AUTH_LOCK);
  const tables = await authTables(statements);
  for (const table of tables) {
    const { rowCount } = await statements.query(`select 1 from ${qualified(table)} limit 1`);
    if (rowCount !== 0) return 'not-needed';
  }
  const backup = await openBackup(file);
  if (backup === null) return 'no-file';
  try {
    await restoreRows(statements, targetsOf(backup, tables), backup);
  } finally {
    await backup.close();
  }
  return 'restored';
};

/** Which statement takes the rows of a table of the file. Columns that the file lacks, made by a later version, keep their defaults. */
type Targets = ReadonlyMap<string, string>;

const targetsOf = ({ header }: BackupReader, tables: readonly AuthTable[]): Targets => {
  const targets = new Map<string, string>();
  for (const [name, columns] of Object.entries(header.tables)) {
    const table = tables.find((each) => each.name === name);
    const unknown = columns.find((column) => !table?.columns.includes(column));
    if (table === undefined || unknown !== undefined) {
      const what = table === undefined ? 'table' : `column ${JSON.stringify(unknown)} in a table`;
      throw new UnreadableBackup('auth-backup-foreign', `this version has no ${what} ${JSON.stringify(name)}`);
    }
    const list = columns.map((column) => pg.escapeIdentifier(column)).join(', ');
    const into = qualified(table);
    targets.set(name, `insert into ${into} (${list}) select ${list} from json_populate_recordset(null::${into}, $1::json)`);
  }
  return targets;
};

const restoreRows = async (statements: Statements, targets: Targets, backup: BackupReader): Promise<void> => {
  let batch: BackupRow[] = [];
  const insert = async (): Promise<void> => {
    const statement = batch[0] && targets.get(batch[0].table);
    if (statement !== undefined) await statements.query(statement, [JSON.stringify(batch.map(({ row }) => row))]);
    batch = [];
  };
  for await (const row of backup.rows) {
    if (batch.length === limits.authBackupBatchRows || (batch[0] && batch[0].table !== row.table)) await insert();
    batch.push(row);
  }
  await insert();
};
