import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseStoreUrl } from '../../src/adapter/store-url.ts';
import { type Result, err, ok } from '../../src/result.ts';
import type { Place } from './parts.ts';
import { LEAST_RECEIPTS } from './plan.ts';

export const USAGE = `Makes a signed, realistic ledger by the commands that everybody uses.

  npm run generate -- --receipts N [--to DIRECTORY | s3://bucket?endpoint=…&region=…] [--keys DIRECTORY]
                      [--seed WORD] [--threads N] [--json]

  --receipts  as many, to the receipt; at least ${LEAST_RECEIPTS}
  --to        a directory laid out as npm start's DATA_DIR (./data-generated), or an empty bucket, with AWS_ACCESS_KEY_ID and
              AWS_SECRET_ACCESS_KEY set
  --keys      where the private keys and the secret of the codes are kept (with a directory: keys/ and secrets/ in it; with a bucket
              they are thrown away unless this is given)
  --seed      the same for the same shape; keys, signatures and draws are new each time
  --threads   by default one to a core`;

/** Where the ledger goes, and what is needed to serve it: `null` for keys that are thrown away. */
export type Arguments = {
  readonly receipts: number;
  readonly location: Place['location'];
  readonly credentials: Place['credentials'];
  readonly keysDirectory: string | null;
  /** The secret that codes are made with, in a file. */
  readonly codeSecretFile: string | null;
  /** The directory that was laid out as `DATA_DIR`. */
  readonly dataDir: string | null;
  readonly seed: string;
  readonly threads: number;
  readonly json: boolean;
};

export type WrongUse = { readonly code: 'wrong-use'; readonly detail: string };
type Env = Readonly<Record<string, string | undefined>>;

/** The command line → what to do. Errors: `wrong-use`, or `help` when that is what was asked for. */
export const parseArguments = (
  argv: readonly string[],
  env: Env,
  cwd: string,
): Result<Arguments, WrongUse | { readonly code: 'help' }> => {
  const given = optionsIn(argv);
  if (!given.ok) return given;
  const { help, to = './data-generated', seed = '1', json = false } = given.value;
  if (help) return err({ code: 'help' });
  const receipts = wholeNumber(given.value.receipts);
  if (receipts === null || receipts < LEAST_RECEIPTS) return wrong(`--receipts takes a number from ${LEAST_RECEIPTS}`);
  const threads = given.value.threads === undefined ? availableParallelism() : wholeNumber(given.value.threads);
  if (threads === null || threads < 1) return wrong('--threads takes a number from 1');
  const place = placeOf(to, given.value.keys ?? null, env, cwd);
  return place.ok ? ok({ ...place.value, receipts, threads, seed, json }) : place;
};

const optionsIn = (argv: readonly string[]) => {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        receipts: { type: 'string' },
        to: { type: 'string' },
        keys: { type: 'string' },
        seed: { type: 'string' },
        threads: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return ok(values);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
};

type Places = Omit<Arguments, 'receipts' | 'threads' | 'seed' | 'json'>;

const placeOf = (to: string, keys: string | null, env: Env, cwd: string): Result<Places, WrongUse> => {
  const parsed = parseStoreUrl(to);
  if (!parsed.ok) return wrong(`--to: ${parsed.error.problem}`);
  const location = parsed.value;
  const given = keys === null ? null : resolve(cwd, keys);
  if (location.kind === 'file') {
    const dataDir = resolve(cwd, location.directory);
    return ok({
      location: { kind: 'file', directory: join(dataDir, 'receipts') },
      credentials: null,
      keysDirectory: given ?? join(dataDir, 'keys'),
      codeSecretFile: given === null ? join(dataDir, 'secrets', 'codes') : join(given, 'codes'),
      dataDir,
    });
  }
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey) return wrong('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for a bucket');
  const credentials = { accessKeyId, secretAccessKey };
  return ok({ location, credentials, keysDirectory: given, codeSecretFile: given && join(given, 'codes'), dataDir: null });
};

const wholeNumber = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : null;

const wrong = (detail: string): Result<never, WrongUse> => err({ code: 'wrong-use', detail });
