import { stripVTControlCharacters } from 'node:util';
import { type ArgsDef, type CommandDef, defineCommand, parseArgs, renderUsage } from 'citty';
import { Outage } from '../src/port/outage.ts';
import type { Result } from '../src/result.ts';
import type { Progress } from './ledger-report.ts';
import { noProgress, progressBar } from './progress.ts';
import { exportVerb, importVerb } from './verb/copy.ts';
import { driftVerb } from './verb/drift.ts';
import { rebuildVerb } from './verb/rebuild.ts';
import { repairVerb } from './verb/repair.ts';
import { segmentsVerb } from './verb/segments.ts';
import { snapshotsVerb } from './verb/snapshots.ts';
import { statusVerb } from './verb/status.ts';
import { count } from './verb/text.ts';
import { type ExitCode, type ProjectorConfig, type Verb, type VerbArguments, type VerbResult, WrongUse } from './verb/verb.ts';
import { verifyVerb } from './verb/verify.ts';

export type CommandLineParts = {
  /** The environment, parsed; asked for by verbs that need it. */
  readonly config: () => Result<ProjectorConfig, readonly { readonly variable: string; readonly detail: string }[]>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
};

const verbs: readonly Verb[] = [
  verifyVerb,
  rebuildVerb,
  repairVerb,
  driftVerb,
  statusVerb,
  segmentsVerb,
  snapshotsVerb,
  exportVerb,
  importVerb,
];

const JSON_ARGUMENT = { json: { type: 'boolean', description: 'one JSON document on stdout' } } as const satisfies ArgsDef;

/**
 * `pixpax-ledger <verb> …` but for `serve`. Answers go to stdout (with `--json` one document, whatever happens), all else to stderr.
 * Resolves to the exit code; rejects with bugs only.
 */
export const runProjector = async (argv: readonly string[], parts: CommandLineParts): Promise<ExitCode> => {
  const { stdout, stderr } = parts;
  const json = argv.includes('--json');
  const [name, ...rest] = argv;
  const verb = verbs.find((one) => one.name === name);
  const asksForHelp = argv.some((word) => word === '--help' || word === '-h') || name === 'help';
  if (verb === undefined || asksForHelp) {
    const usage = await usageOf(verb);
    if (asksForHelp) return answer(stdout, usage, 0);
    return refuse(parts, json, 'wrong-use', `${name === undefined ? 'say what to do' : `there is no verb ${name}`}\n\n${usage}`);
  }
  let latest: Progress = { streams: 0, receipts: 0 };
  const bar = json ? noProgress : progressBar(verb.name, stderr);
  const onProgress = (progress: Progress): void => {
    latest = progress;
    bar.show(progress);
  };
  try {
    const args = argumentsOf(verb, rest);
    const say = (sentence: string): void => void stderr.write(`${sentence}\n`);
    const result = await verb.run({ args, config: () => configOf(parts), onProgress, say });
    bar.stop();
    return show(stdout, stderr, json, result);
  } catch (error) {
    bar.stop();
    if (error instanceof WrongUse) return refuse(parts, json, 'wrong-use', error.message);
    if (!(error instanceof Outage)) throw error;
    const done =
      latest.receipts === 0
        ? ''
        : `; ${count(latest.receipts, 'receipt')} in ${count(latest.streams, 'stream')} had been read and were true`;
    return refuse(parts, json, error.code, `${error.message}${done}`);
  }
};

const show = (stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream, json: boolean, result: VerbResult): ExitCode => {
  if (json) return answer(stdout, JSON.stringify(result.json), result.exitCode);
  return answer(result.exitCode === 2 ? stderr : stdout, result.text, result.exitCode);
};

const refuse = ({ stdout, stderr }: CommandLineParts, json: boolean, code: string, detail: string): ExitCode => {
  stderr.write(`${detail}\n`);
  if (json) stdout.write(`${JSON.stringify({ error: { code, detail } })}\n`);
  return 2;
};

const answer = (stream: NodeJS.WriteStream, text: string, exitCode: ExitCode): ExitCode => {
  stream.write(`${text}\n`);
  return exitCode;
};

const configOf = ({ config }: CommandLineParts): ProjectorConfig => {
  const parsed = config();
  if (parsed.ok) return parsed.value;
  throw new WrongUse(parsed.error.map(({ variable, detail }) => `${variable} ${detail}`).join('\n'));
};

/** Strict where citty is not: an option that is mistyped must not be taken for one that was left out. */
const argumentsOf = (verb: Verb, rest: readonly string[]): VerbArguments => {
  const known: ArgsDef = { ...verb.args, ...JSON_ARGUMENT };
  const given: Record<string, unknown> = parsed(known, rest);
  const positionals = Object.values(known).filter(({ type }) => type === 'positional').length;
  const args: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name === '_') continue;
    const argument = known[name];
    // citty gives an option with dashes by its name in camel case too.
    if (argument === undefined && known[dashed(name)] !== undefined) continue;
    if (argument === undefined) throw new WrongUse(`${verb.name} knows no --${name}; see \`${verb.name} --help\``);
    if (argument.type !== 'boolean' && value === '') throw new WrongUse(`--${name} needs a value`);
    if (typeof value === 'string') args[name] = value;
    if (typeof value === 'boolean') args[name] = value ? 'yes' : 'no';
  }
  const words = given._;
  if (Array.isArray(words) && words.length > positionals)
    throw new WrongUse(`${verb.name} takes ${count(positionals, 'argument')}, not ${words.length}; see \`${verb.name} --help\``);
  return args;
};

const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const parsed = (known: ArgsDef, rest: readonly string[]): Record<string, unknown> => {
  try {
    return parseArgs([...rest], known);
  } catch (error) {
    throw new WrongUse(stripVTControlCharacters(error instanceof Error ? error.message : String(error)));
  }
};

const usageOf = async (verb: Verb | undefined): Promise<string> => {
  const parent = defineCommand({
    meta: {
      name: 'pixpax-ledger',
      description: 'the receipt ledger: `serve` runs the API, the verbs below look after the receipts',
    },
    subCommands: Object.fromEntries(verbs.map((one) => [one.name, commandOf(one)])),
  });
  return stripVTControlCharacters(await (verb === undefined ? renderUsage(parent) : renderUsage(commandOf(verb), parent)))
    .replaceAll(/ +$/gm, '')
    .trimEnd();
};

const commandOf = ({ name, description, args }: Verb): CommandDef =>
  defineCommand<ArgsDef>({ meta: { name, description }, args: { ...args, ...JSON_ARGUMENT } });
