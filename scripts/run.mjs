/** Runs a program of ours under Node 24 after installing what it needs. Plain JavaScript for Node 20. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { findNode24 } from './node24.mjs';

/** The checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** How often we look whether npm still lives, and how long the program may take to end when it does not. */
const npmPollMs = 100;
const abandonedMs = 1_000;

/** Ctrl-C reaches us from the terminal and once more from npm; what comes later than this is a second Ctrl-C. */
const sameSignalMs = 500;

/**
 * Ends this process as the program ends: with its exit code, or by its signal.
 * @param args of node: a file and its arguments. @param cwd the caller's when absent.
 */
export const runUnderNode24 = async (args, { development = false, env = {}, cwd } = {}) => {
  try {
    await ensureInstalled({ development });
    await runNode(findNode24(), args, { env, cwd });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
};

const runNode = (node, args, { env, cwd }) =>
  new Promise((resolve, reject) => {
    const lifeline = new URL('lifeline.mjs', import.meta.url).href;
    const child = spawn(node, ['--import', lifeline, ...args], {
      cwd,
      env: { ...process.env, ...env, PIXPAX_LIFELINE: '3' },
      // A group of its own: each signal reaches it once, from us. The pipe tells it when we are gone.
      detached: true,
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    });
    const passedOn = new Map();
    const passOn = (signal) => {
      if (Date.now() - (passedOn.get(signal) ?? 0) < sameSignalMs) return;
      passedOn.set(signal, Date.now());
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
    for (const signal of signals) process.on(signal, passOn);
    child.stdio[3].on('error', () => {});
    const stopWatching = whenNpmIsGone(() => {
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), abandonedMs).unref();
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
      child.stdio[3].destroy();
      stopWatching();
      for (const name of signals) process.off(name, passOn);
      resolve();
    });
  });

/** A killed npm does not tell us; our parent is another one then. Started by hand we may outlive our parent, with nohup for one. */
const whenNpmIsGone = (act) => {
  if (process.env.npm_lifecycle_event === undefined) return () => {};
  const { ppid } = process;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    act();
  }, npmPollMs);
  return () => clearInterval(timer);
};
