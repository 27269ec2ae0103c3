import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Outage } from '../../src/port/outage.ts';
import { keptSecret } from '../../src/service/kept-secret.ts';
import { Refused as RefusedStart } from '../../src/service/until-up.ts';
import { type Arguments, USAGE, parseArguments } from './arguments.ts';
import { type Generated, generateLedger } from './generate.ts';
import { openProgress } from './progress.ts';

const DAY_MS = 24 * 3_600_000;

/** Ends with 0 when the ledger is whole, with 2 when nothing, or something else, was made, and as a signal ends when it was stopped by one. */
const main = async (): Promise<number> => {
  const given = parseArguments(process.argv.slice(2), process.env, process.cwd());
  if (given.ok) return generate(given.value);
  if (given.error.code === 'help') {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  return refuse(process.argv.includes('--json'), given.error.code, `${given.error.detail}\n\n${USAGE}`);
};

const generate = async (args: Arguments): Promise<number> => {
  const { json, receipts, seed, threads, location, credentials } = args;
  const temporary = args.keysDirectory === null ? await mkdtemp(join(tmpdir(), 'pixpax-generate-')) : null;
  const progress = openProgress(process.stderr, receipts);
  const stopping = stopBySignal();
  try {
    const place = { location, credentials, keysDirectory: args.keysDirectory ?? temporary ?? '' };
    // The year ends yesterday: no receipt is of a time that has not come.
    const endMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS;
    const { codeSecretFile: file } = args;
    const codeSecret = () => (file === null ? Promise.resolve(randomBytes(32).toString('hex')) : keptSecret(file));
    const asked = { receipts, seed, threads, place, endMs, codeSecret, signal: stopping.signal, onProgress: progress.show };
    const made = await generateLedger(asked);
    progress.stop();
    if (!made.ok) return refuse(json, made.error.code, made.error.detail);
    const seconds = progress.seconds();
    process.stdout.write(
      json ? `${JSON.stringify({ ...made.value, seconds, seed, threads })}\n` : told(args, made.value, seconds),
    );
    return made.value.stopped ? stopping.exitCode() : 0;
  } catch (error) {
    progress.stop();
    if (error instanceof Outage) return refuse(json, error.code, `${error.message}\n${UNFINISHED}`);
    if (error instanceof RefusedStart) return refuse(json, 'secret-refused', error.message);
    throw error;
  } finally {
    if (temporary !== null) await rm(temporary, { recursive: true, force: true });
  }
};

const UNFINISHED = 'What was written by then is no whole ledger: delete it, or give another place, before you try again.';

const refuse = (json: boolean, code: string, detail: string): number => {
  process.stderr.write(`${detail}\n`);
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, detail } })}\n`);
  return 2;
};

/** The first signal ends what is begun; the second ends the process, which leaves trades and claims half done. */
const stopBySignal = () => {
  const controller = new AbortController();
  let code = 0;
  const stop = (signal: 'SIGINT' | 'SIGTERM') => (): void => {
    if (controller.signal.aborted) process.exit(code);
    code = 128 + constants.signals[signal];
    process.stderr.write('\nending what is begun; the ledger will be a shorter one\n');
    controller.abort();
  };
  process.on('SIGINT', stop('SIGINT'));
  process.on('SIGTERM', stop('SIGTERM'));
  return { signal: controller.signal, exitCode: () => code };
};

const told = (args: Arguments, made: Generated, seconds: number): string => {
  const { location, credentials, keysDirectory, codeSecretFile, dataDir } = args;
  const count = (n: number): string => Math.round(n).toLocaleString('en-US');
  const where = location.kind === 'file' ? location.directory : `bucket ${location.bucket}`;
  const average = count(made.bytes / Math.max(1, made.receipts));
  const lines = [
    `${count(made.receipts)} receipts in ${count(made.streams)} streams, ${average} bytes on average, in ${where}`,
    `${seconds.toFixed(1)} s, ${count(made.receipts / seconds)} receipts a second${made.stopped ? '; stopped before its end' : ''}`,
    `trust anchor  ${made.fingerprint}`,
    '',
  ];
  if (location.kind === 'file') lines.push(`npm run ledger -- verify ${location.directory} --trust ${made.fingerprint}`);
  const own = dataDir !== null && keysDirectory === join(dataDir, 'keys');
  const keys = own ? '' : `KEYS_DIR=${keysDirectory} CODE_SECRET_FILE=${codeSecretFile} `;
  if (dataDir !== null) lines.push(`DATA_DIR=${dataDir} ${keys}npm start`);
  else if (keysDirectory === null) lines.push('Its keys were thrown away: it can be verified and rebuilt, not served.');
  else lines.push(`RECEIPT_STORE='s3://…' ${keys}npm start`);
  if (credentials !== null) lines.push('with the same AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  return `${lines.join('\n')}\n`;
};

process.exitCode = await main();
