import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type pg from 'pg';
import { limits } from '../../limits.ts';
import { type Statements, inTransaction } from './auth-database.ts';
import { type AuthTable, authTables, qualified } from './auth-tables.ts';
import type { BackupHeader } from './backup-format.ts';

/**
 * Writes all tables of the schema `auth`, as of one moment, to `file` (readable by its owner alone). The file is replaced at once or not at
 * all, and is durable when this resolves. One call at a time per file. Throws `Outage`, and the file system's errors as they are.
 */
export const backupAuth = async (pool: pg.Pool, file: string): Promise<void> => {
  const draft = `${file}.tmp`;
  // A crash leaves the draft; the next backup removes it, for its mode may be another.
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await inTransaction(pool, 'read only', (statements) => writeTables(statements, handle));
    await handle.sync();
  } finally {
    await handle.close();
  }
  // A crash before this leaves the old file, after it the new one.
  await rename(draft, file);
  await syncDirectory(dirname(file));
};

const writeTables = async (statements: Statements, handle: FileHandle): Promise<void> => {
  const hash = createHash('sha256');
  const write = async (lines: readonly string[]): Promise<void> => {
    const text = lines.map((line) => `${line}\n`).join('');
    hash.update(text);
    await handle.appendFile(text);
  };
  const tables = await authTables(statements);
  const header: BackupHeader = {
    format: 'pixpax-auth-backup',
    version: 1,
    tables: Object.fromEntries(tables.map(({ name, columns }) => [name, [...columns]])),
  };
  await write([JSON.stringify(header)]);
  let rows = 0;
  for (const table of tables) {
    for await (const batch of rowsOf(statements, table)) {
      await write(batch.map((row) => `{"table":${JSON.stringify(table.name)},"row":${row}}`));
      rows += batch.length;
    }
  }
  await handle.appendFile(`${JSON.stringify({ rows, sha256: hash.digest('hex') })}\n`);
};

/** The rows of a table as JSON texts on one line each, a batch at a time: memory stays flat. */
async function* rowsOf(statements: Statements, table: AuthTable): AsyncGenerator<readonly string[]> {
  await statements.query(`declare backup_rows no scroll cursor for select to_json(t)::text as row from ${qualified(table)} t`);
  for (;;) {
    const { rows } = await statements.query<{ row: string }>(`fetch ${limits.authBackupBatchRows} from backup_rows`);
    if (rows.length === 0) break;
    yield rows.map(({ row }) => row);
  }
  await statements.query('close backup_rows');
}

const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
};
