/**
 * Brings node_modules to what package-lock.json says, and does nothing when it is there. Everything that people start goes
 * through here, so a fresh checkout needs no other command. Plain JavaScript for Node 20, without packages.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeTurn } from './turn.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
/** Holds the digest of the lockfile that npm ci last finished with. */
const stamp = join(modules, '.pixpax-installed');

/**
 * Runs `npm ci` when a package is missing or has another version than the lockfile's. Several processes may call this at
 * once: one installs, the others wait. Says what it does on stderr, so that stdout stays the caller's.
 * @param development false: packages that only tests and checks need may be missing.
 * @throws Error that says what to do.
 */
export const ensureInstalled = async ({ development = true } = {}) => {
  if (isInstalled(development)) return;
  const turn = await takeTurn(join(root, '.tmp/install'), () =>
    console.error('Another process is installing the packages…'),
  ).catch((error) => fail(`${root} cannot be written to: ${error.message}`));
  try {
    if (!isInstalled(development)) await install(development, turn);
  } finally {
    turn.end();
  }
};

const isInstalled = (development) => {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  // npm writes this file last: when it is missing, an installation was cut short.
  const present = packagesOf(join(modules, '.package-lock.json'));
  if (wanted === undefined) throw new Error(`${root} has no readable package-lock.json: get it back from the repository.`);
  if (present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || (entry.dev && !development)) return true;
    const there = present[path];
    if (there === undefined) return entry.optional && (!isForThisMachine(entry) || stampIsCurrent());
    return there.version === entry.version && there.integrity === entry.integrity && existsSync(join(root, path, 'package.json'));
  });
};

/** Of an optional package that is missing: whether it should be here. npm leaves out what the machine cannot use. */
const isForThisMachine = ({ os, cpu, libc }) =>
  os !== undefined && libc === undefined && [os].flat().includes(process.platform) && [cpu].flat().includes(process.arch);

/** npm ci finished with this lockfile, so an optional package that is missing cannot be had: asking again would not help. */
const stampIsCurrent = () => readText(stamp) === lockfileDigest();

const lockfileDigest = () =>
  createHash('sha256')
    .update(readText(join(root, 'package-lock.json')) ?? '')
    .digest('hex');

const install = async (development, turn) => {
  console.error('Installing the packages of package-lock.json (npm ci); the first time this takes a minute…');
  const args = ['ci', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error', '--include=optional'];
  if (development) args.push('--include=dev');
  const { code, output } = await run([...npm(), ...args], turn);
  if (code !== 0) fail(`npm ci ended with ${code}:\n${output.trim()}`);
  writeFileSync(stamp, lockfileDigest());
};

const fail = (why) => {
  throw new Error(
    `The packages could not be installed. ${why}\nCheck the connection to the npm registry and the rights on ${root}, then try again.`,
  );
};

/** The npm that started us, under the Node that runs it: our own may lie in the node_modules that npm is about to delete. */
const npm = () => {
  const { npm_execpath: program = '', npm_node_execpath: node = process.execPath } = process.env;
  if (basename(program) !== 'npm-cli.js' || node.startsWith(modules + sep) || !existsSync(node)) return ['npm'];
  return [node, program];
};

const run = ([command, ...args], turn) =>
  new Promise((resolve, reject) => {
    const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.startsWith(modules));
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, PATH: path.join(delimiter) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // npm goes on when we are killed; nobody else may start meanwhile.
    if (child.pid !== undefined) turn.holdFor(child.pid);
    const stop = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, stop);
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(-8192)));
    child.once('error', (error) => reject(new Error(`${command} does not start (${error.message}): is npm on the PATH?`)));
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, stop);
      resolve({ code: code ?? signal, output });
    });
  });

const packagesOf = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
};

const readText = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};
