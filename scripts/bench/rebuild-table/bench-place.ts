import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { S3Credentials, StoreLocation } from '../../../src/adapter/store-url.ts';
import type { VerbEnvironment } from './verb-process.ts';

/** A generated ledger somewhere, and how programs are told of it. */
export type BenchPlace = {
  readonly store: 'file' | 's3';
  readonly receipts: number;
  readonly location: StoreLocation;
  readonly credentials: S3Credentials | null;
  readonly env: VerbEnvironment;
  /** The directory of data with the ledger's keys. */
  readonly dataDir: string;
};

const generator = fileURLToPath(new URL('../../generate/run.ts', import.meta.url));

/** A ledger of so many receipts on the file store, below `room`, made unless it is there whole. */
export const filePlace = async (room: string, receipts: number): Promise<BenchPlace> => {
  const dataDir = join(room, `ledger-${receipts}`);
  // Its last name is given when all of it is there: what is left of a run that was cut off has another one.
  if (!existsSync(dataDir)) {
    const making = `${dataDir}.${process.pid}.making`;
    process.stderr.write(`generating ${receipts} receipts …\n`);
    const args = [generator, '--receipts', String(receipts), '--to', making, '--seed', 'bench', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1024 * 1024 });
    await writeFile(join(making, 'generated.json'), stdout);
    await rename(making, dataDir);
  }
  const directory = join(dataDir, 'receipts');
  const location = { kind: 'file', directory } as const;
  return { store: 'file', receipts, location, credentials: null, dataDir, env: { RECEIPT_STORE: `fs:${directory}` } };
};

/** What the generator said when it made it. */
export const generatedIn = async ({ dataDir }: BenchPlace): Promise<unknown> =>
  JSON.parse(await readFile(join(dataDir, 'generated.json'), 'utf8'));
