import { PassThrough } from 'node:stream';
import { err, ok } from '../src/result.ts';
import { runProjector } from './command-line.ts';
import type { ProjectorConfig } from './verb/verb.ts';

/** Runs the command line and answers what it said. */
export const run = async (argv: readonly string[], config: ProjectorConfig | null = null) => {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const exitCode = await runProjector(argv, {
    config: () => (config === null ? err([{ variable: 'DATABASE_URL', detail: 'must be set' }]) : ok(config)),
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
  });
  return { exitCode, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
};

/** The receipts in a directory, and a Postgres: by default one that nobody answers for. */
export const configFor = (directory: string, url = 'postgres://nobody@127.0.0.1:1/none'): ProjectorConfig => ({
  receiptStore: `fs:${directory}`,
  s3: null,
  database: { kind: 'url', url },
  trust: null,
});
