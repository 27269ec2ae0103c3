import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { type Clock, systemClock } from '../../port/clock.ts';
import { boundedReport } from './bounded-report.ts';
import { openProjector } from './projector.ts';

const log = pino({ level: 'silent' });
const PATH = process.env.PATH ?? '';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pixpax run '));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A projector that runs this text instead of the command line. */
const running = async (text: string, clock: Clock = systemClock, env: Readonly<Record<string, string>> = { PATH }) => {
  const program = join(directory, 'program.mjs');
  await writeFile(program, text);
  return openProjector({ env, clock, log, program });
};
const wanted = new AbortController().signal;
const FOR_EVER = 'setInterval(() => undefined, 1000);';

/** Waits of this length are over at once, and no others ever. */
const passing = (ms: number): Clock => ({
  ...systemClock,
  sleep: (asked, signal) =>
    asked === ms
      ? Promise.resolve()
      : new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
});

describe('a run in a process of its own', () => {
  it.each([
    [0, null],
    [1, null],
    [3, null],
    [2, 'not-done'],
    [9, 'crashed'],
  ] as const)('that says something and exits with %i ends with the reason %s', async (exitCode, reason) => {
    const run = await running(`console.log('{"drifted":true}'); process.exitCode = ${exitCode};`);
    expect(await run('drift', wanted)).toEqual({ exitCode, reason, report: { drifted: true }, reportWhole: true });
  });

  it.each([
    ['says nothing', ''],
    ['says something else', "console.log('a banner')"],
    ['breaks', "throw new Error('broken')"],
  ])('that %s has crashed', async (_what, text) => {
    const run = await running(text);
    expect(await run('drift', wanted)).toMatchObject({ reason: 'crashed', report: null });
  });

  it('that takes more memory than it may has crashed, and nobody else', async () => {
    const run = await running('const all = []; for (;;) all.push(new Array(1e6).fill(all.length + 0.5));');
    expect(await run('drift', wanted)).toMatchObject({ exitCode: null, reason: 'crashed' });
  });

  it('is given its words, and what it needs in its environment and nowhere else', async () => {
    const text = 'console.log(JSON.stringify({ argv: process.argv.slice(2), execArgv: process.execArgv, env: process.env }));';
    const run = await running(text, systemClock, { PATH, DATABASE_URL: 'postgres://u:secret@h/d' });
    const { report } = await run('verify', wanted);
    expect(report?.env).toEqual({ PATH, DATABASE_URL: 'postgres://u:secret@h/d' });
    expect(report?.argv).toEqual(['verify', '--threads', '1', '--json']);
    expect(report?.execArgv).toEqual([`--max-old-space-size=${limits.runHeapMegabytes}`]);
  });

  it('that is not wanted any more is ended, and is not begun when that is known', async () => {
    const stopping = new AbortController();
    const run = await running(`${FOR_EVER} process.stdout.write('{');`);
    const ended = run('rebuild', stopping.signal);
    stopping.abort();
    expect(await ended).toMatchObject({ exitCode: null, reason: 'service-stopped', report: null });
    expect(await run('rebuild', stopping.signal)).toMatchObject({ exitCode: null, reason: 'service-stopped' });
  });

  it('that does not end when it is told to is ended all the same', async () => {
    const stopping = new AbortController();
    const deaf = `process.on('SIGTERM', () => undefined); ${FOR_EVER}`;
    const run = await running(deaf, passing(limits.runEndMs));
    const ended = run('rebuild', stopping.signal);
    stopping.abort();
    expect(await ended).toMatchObject({ reason: 'service-stopped' });
  });

  it('that takes too long is ended', async () => {
    const run = await running(FOR_EVER, passing(limits.runMs));
    expect(await run('verify', wanted)).toMatchObject({ exitCode: null, reason: 'took-too-long' });
  });

  it('whose program is not there has crashed', async () => {
    const run = openProjector({ env: { PATH }, clock: systemClock, log, program: join(directory, 'nothing.mjs') });
    expect(await run('verify', wanted)).toMatchObject({ reason: 'crashed' });
  });

  it('ends when the service that started it is gone', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const store = `s3://bucket?endpoint=http://127.0.0.1:${port}&region=x`;
    const env = { PATH, RECEIPT_STORE: store, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' };
    const program = fileURLToPath(new URL('../../../projector/main.ts', import.meta.url));
    const child = fork(program, ['verify', '--json'], { env, execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => (said += part));
    const sockets: Socket[] = [];
    silent.on('connection', (socket) => sockets.push(socket));
    await once(silent, 'connection'); // it waits for the store
    child.disconnect();
    expect([...(await once(child, 'exit')), said]).toEqual([2, null, '']);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});

describe('a report', () => {
  it('is kept as it is when it is short', () => {
    const report = { rows: Array.from({ length: 100 }, (_, i) => i) };
    expect(boundedReport(report)).toEqual({ report, reportWhole: true });
  });

  it('keeps the beginnings of its lists when it is long', () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => ({ key: `row ${i}`, columns: ['a'.repeat(50)] }));
    const { report, reportWhole } = boundedReport({ drifted: true, rows, rowCount: rows.length });
    expect(reportWhole).toBe(false);
    expect(report).toEqual({ drifted: true, rows: rows.slice(0, limits.runReportElements), rowCount: 10_000 });
  });

  it('is dropped when that does not help', () => {
    expect(boundedReport({ text: 'a'.repeat(limits.runReportBytes) })).toEqual({ report: null, reportWhole: false });
  });
});
