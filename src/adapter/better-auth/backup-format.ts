import { z } from 'zod';

/**
 * The backup of sign-in, JSON lines: a header that names tables and columns, a line for each row, referred-to tables first, and a last line
 * that counts the rows and carries the SHA-256 (lower-case hex) of all bytes before it. Rows are what Postgres makes of them with `to_json`.
 * Lines end with a line feed and nothing else: a name may hold what other readers take for the end of a line.
 */
export const backupHeader = z.strictObject({
  format: z.literal('pixpax-auth-backup'),
  version: z.literal(1),
  tables: z.record(z.string(), z.array(z.string())),
});
export const backupRow = z.strictObject({ table: z.string(), row: z.record(z.string(), z.unknown()) });
export const backupEnd = z.strictObject({ rows: z.int().nonnegative(), sha256: z.string() });

export type BackupHeader = z.infer<typeof backupHeader>;
export type BackupRow = z.infer<typeof backupRow>;

/**
 * `auth-backup-malformed`: the file is cut off or was changed. `auth-backup-foreign`: it is no backup of ours, or one of tables that this
 * version does not have. `detail` names the line and quotes nothing of it: lines hold password hashes and session tokens.
 */
export type AuthBackupFault = {
  readonly code: 'auth-backup-malformed' | 'auth-backup-foreign';
  readonly file: string;
  readonly detail: string;
};

/** An `AuthBackupFault` on its way out of a transaction: as a value it would let the transaction commit. */
export class UnreadableBackup extends Error {
  readonly code: AuthBackupFault['code'];

  constructor(code: AuthBackupFault['code'], detail: string) {
    super(detail);
    this.code = code;
  }
}
