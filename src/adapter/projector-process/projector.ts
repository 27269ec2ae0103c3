import { type ChildProcess, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';
import type { Projector, RunEnd, RunFailure, RunKind } from '../../port/runs.ts';
import { parsedOrUndefined } from '../../receipt/canonical.ts';
import { type JsonObject, isJsonObject } from '../../receipt/json.ts';
import { boundedReport } from './bounded-report.ts';

export type ProjectorOptions = {
  /** All that the process finds in its environment: what it needs, and no secret besides. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** What is run; by default the projector's own command line. */
  readonly program?: string;
};

const PROGRAM = fileURLToPath(new URL('../../../projector/main.ts', import.meta.url));

/** A core is left to the service: of the verbs this one alone takes all there are. */
const WORDS: { readonly [K in RunKind]: readonly string[] } = {
  rebuild: ['rebuild'],
  repair: ['repair'],
  drift: ['drift'],
  verify: ['verify', '--threads', String(limits.runThreads)],
};

/**
 * Runs the projector's command line as a process beside this one: with a heap of its own, behind everybody else in the queue for the processor, and
 * not for ever. Secrets reach it by its environment, for everyone on the machine may read an argument. It ends with this process, however
 * that ends: the channel between the two breaks.
 */
export const openProjector =
  ({ env, clock, log, program = PROGRAM }: ProjectorOptions): Projector =>
  async (kind, signal) => {
    if (signal.aborted) return failed('service-stopped', null, null);
    const heap = `--max-old-space-size=${limits.runHeapMegabytes}`;
    const words = [heap, program, ...WORDS[kind], '--json'];
    const child = spawn(process.execPath, words, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    yieldTo(child);
    const stopped = stopperOf(child, clock, signal);
    const [answer, complaint, code] = await Promise.all([
      spoken(child.stdout, limits.runSpokenBytes),
      spoken(child.stderr, COMPLAINT_BYTES),
      exitOf(child),
    ]);
    const end = endOf(answer, code, stopped());
    if (end.reason !== null) log.warn({ kind, code, reason: end.reason, said: complaint ?? '…' }, 'a run came to nothing');
    return end;
  };

/** What a failing process says first, for the log. */
const COMPLAINT_BYTES = 64 * 1024;

const yieldTo = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system does not allow it: then it runs as everybody does.
  }
};

/** Ends the process at its deadline and when it is no longer wanted; tells which it was, or null for neither. */
const stopperOf = (child: ChildProcess, clock: Clock, signal: AbortSignal): (() => RunFailure | null) => {
  const over = new AbortController();
  let why: RunFailure | null = null;
  const stop = (reason: RunFailure): void => {
    if (over.signal.aborted) return;
    why ??= reason;
    child.kill('SIGTERM');
    void clock.sleep(limits.runEndMs, over.signal).then(() => {
      if (!over.signal.aborted) child.kill('SIGKILL');
    });
  };
  const unwanted = (): void => stop('service-stopped');
  signal.addEventListener('abort', unwanted, { once: true });
  void clock.sleep(limits.runMs, over.signal).then(() => stop('took-too-long'));
  void exitOf(child).then(() => {
    over.abort('ended');
    signal.removeEventListener('abort', unwanted);
  });
  return () => why;
};

/** All that comes out of a stream; null when it is more than `bytes`, of which the rest is let go by. */
const spoken = async (stream: Readable | null, bytes: number): Promise<string | null> => {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of stream ?? []) {
      if (!Buffer.isBuffer(part)) continue;
      length += part.length;
      if (length <= bytes) parts.push(part);
    }
  } catch {
    // The pipe broke with its process: what has come is what there is.
  }
  return length > bytes ? null : Buffer.concat(parts).toString();
};

/** The exit code; null when it was killed, or never began. Not its `close`, which may never come once the channel was closed from here. */
const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (code) => resolve(code));
  });

/** Codes of the command line: 0, 1 and 3 say what was found, and 2 that nothing could be. */
const FOUND: ReadonlySet<number | null> = new Set([0, 1, 3]);

const endOf = (answer: string | null, code: number | null, stopped: RunFailure | null): RunEnd => {
  if (stopped !== null) return failed(stopped, code, null);
  if (answer === null && FOUND.has(code)) return { exitCode: code, reason: null, report: null, reportWhole: false };
  const report = answer === null ? undefined : parsedOrUndefined(answer);
  if (report === undefined || !isJsonObject(report)) return failed('crashed', code, null);
  if (FOUND.has(code)) return { exitCode: code, reason: null, ...boundedReport(report) };
  return failed(code === 2 ? 'not-done' : 'crashed', code, report);
};

const failed = (reason: RunFailure, exitCode: number | null, report: JsonObject | null): RunEnd => ({
  ...{ exitCode, reason },
  ...(report === null ? { report, reportWhole: true } : boundedReport(report)),
});
