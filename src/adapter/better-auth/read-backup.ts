import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { z } from 'zod';
import { type BackupHeader, type BackupRow, UnreadableBackup, backupEnd, backupHeader, backupRow } from './backup-format.ts';

export type BackupReader = {
  readonly header: BackupHeader;
  /** The rows in order, once. Only when it ends without throwing is the file known to be whole. Throws `UnreadableBackup`. */
  readonly rows: AsyncIterable<BackupRow>;
  close(): Promise<void>;
};

/** Opens a backup and reads its header; null when there is no such file. Throws `UnreadableBackup` when it begins otherwise. */
export const openBackup = async (file: string): Promise<BackupReader | null> => {
  const handle = await openOrNull(file);
  if (handle === null) return null;
  try {
    const lines = linesOf(handle);
    const first = (await lines.next()).value;
    const header = first && backupHeader.safeParse(jsonOf(first));
    if (first === undefined || !header?.success)
      throw new UnreadableBackup('auth-backup-foreign', 'its first line is not the header of a backup');
    return { header: header.data, rows: rowsOf(first, header.data, lines), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
};

async function* rowsOf(first: Buffer, header: BackupHeader, lines: AsyncIterable<Buffer>): AsyncGenerator<BackupRow> {
  const hash = createHash('sha256').update(first).update('\n');
  let number = 1;
  let rows = 0;
  // One line behind: the last one is no row, and is known to be the last only when no other follows.
  let previous: Buffer | undefined;
  for await (const line of lines) {
    if (previous !== undefined) {
      const row = parsed(backupRow, previous, number);
      if (!Object.hasOwn(header.tables, row.table) || !sameMembers(Object.keys(row.row), header.tables[row.table]))
        throw malformed(number);
      hash.update(previous).update('\n');
      rows++;
      yield row;
    }
    previous = line;
    number++;
  }
  const end = parsed(backupEnd, previous, number);
  if (end.rows !== rows || end.sha256 !== hash.digest('hex')) throw malformed(number);
}

/** Split at line feeds alone, in bytes. */
async function* linesOf(handle: FileHandle): AsyncGenerator<Buffer, undefined> {
  let rest = Buffer.alloc(0);
  for (;;) {
    const { bytesRead, buffer } = await handle.read({ buffer: Buffer.alloc(65_536) });
    if (bytesRead === 0) break;
    rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      yield rest.subarray(0, end);
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield rest;
  return undefined;
}

const parsed = <T>(schema: z.ZodType<T>, line: Buffer | undefined, number: number): T => {
  const value = schema.safeParse(line && jsonOf(line));
  if (!value.success) throw malformed(number);
  return value.data;
};

const jsonOf = (line: Buffer): unknown => {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
};

const sameMembers = (some: readonly string[], others: readonly string[] | undefined): boolean =>
  others !== undefined && some.length === others.length && some.every((name) => others.includes(name));

const malformed = (line: number): UnreadableBackup =>
  new UnreadableBackup('auth-backup-malformed', `line ${line} is not what was written, or the end is missing`);

const openOrNull = async (file: string): Promise<FileHandle | null> => {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};
