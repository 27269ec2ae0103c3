import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSource } from '../projector/open-source.ts';
import { liveDatabase } from '../projector/projection.fixture.ts';
import { verifyLedger } from '../projector/verify.ts';
import { userNamed } from '../scripts/generate/asking.ts';
import { type Generated, generateLedger } from '../scripts/generate/generate.ts';
import { planOf } from '../scripts/generate/plan.ts';
import { openFileStore } from '../src/adapter/file/receipt-store.ts';
import { openLocalSealer } from '../src/adapter/local-sealer/sealer.ts';
import { openLocalSigner } from '../src/adapter/local-signer/signer.ts';
import { memoryReadModel } from '../src/adapter/memory/read-model.ts';
import { openLedger } from '../src/command/ledger.ts';
import { systemClock } from '../src/port/clock.ts';
import { OPERATOR_IDENTITY_ID, parseIdempotencyKey } from '../src/receipt/ids.ts';
import { parseKey, positionOf } from '../src/receipt/key-path.ts';
import { readReceipt } from '../src/receipt/read.ts';
import { accountPayloads } from '../src/stream/account/event.ts';
import { codePayloads } from '../src/stream/code/event.ts';
import { collectionPayloads } from '../src/stream/collection/event.ts';
import { pixbookPayloads } from '../src/stream/pixbook/event.ts';
import { granted } from './ledger-fixture.ts';

const RECEIPTS = 2_000;
const DAY_MS = 24 * 3_600_000;
const endMs = Date.UTC(2026, 8, 1);

let room: string;
const placeAt = (name: string) => ({
  location: { kind: 'file', directory: join(room, name, 'receipts') } as const,
  credentials: null,
  keysDirectory: join(room, name, 'keys'),
});
const generateAt = (name: string, more: Partial<Parameters<typeof generateLedger>[0]> = {}) =>
  generateLedger({
    ...{ place: placeAt(name), receipts: RECEIPTS, seed: 'sand', threads: 1, endMs },
    codeSecret: () => Promise.resolve('a secret of codes that nobody uses'),
    ...more,
  });

const verifyAt = async (name: string, trust: Generated['fingerprint'] | null = null) => {
  const { location, credentials } = placeAt(name);
  const source = await openSource({ location, credentials, durable: false });
  try {
    return await verifyLedger({ source, trust, threads: 1 });
  } finally {
    await source.close();
  }
};

const storedAt = async (name: string) => {
  const store = await openFileStore(placeAt(name).location.directory, { readOnly: true });
  const stored = [];
  for (let after: string | undefined; ; ) {
    const page = await store.list({ prefix: 'pixpax/', limit: 1_000, ...(after === undefined ? {} : { startAfter: after }) });
    for (const key of page) stored.push(granted(readReceipt((await store.read(key)) ?? new Uint8Array(), key)));
    after = page.at(-1);
    if (after === undefined) return stored;
  }
};

let made: Generated;
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), 'pixpax generate '));
  made = granted(await generateAt('sand'));
}, 300_000);
afterAll(() => rm(room, { recursive: true, force: true }));

describe('a generated ledger', () => {
  it('has as many receipts as were asked for, and is valid: every pack, code and trade is judged', async () => {
    expect(made).toMatchObject({ receipts: RECEIPTS, stopped: false });
    expect(await verifyAt('sand', made.fingerprint)).toMatchObject({
      ...{ verdict: 'valid', pinned: true, receipts: RECEIPTS, streams: made.streams, unverifiable: 0, faults: [] },
    });
  }, 120_000);

  it('holds events of every type there is', () => {
    const all = [accountPayloads, pixbookPayloads, collectionPayloads, codePayloads].flatMap((payloads) => Object.keys(payloads));
    expect(Object.keys(made.types).sort()).toEqual(all.sort());
    expect(made.types.PIXBOOK_SAVE).toBeGreaterThan(RECEIPTS / 2);
    expect(made.bytes / made.receipts).toBeGreaterThan(900);
    expect(made.bytes / made.receipts).toBeLessThan(1_400);
  });

  it('tells of a year that is over', async () => {
    const times = (await storedAt('sand')).map(({ receipt }) => Date.parse(receipt.createdAt));
    const [first, last] = [Math.min(...times), Math.max(...times)];
    expect((last - first) / DAY_MS).toBeGreaterThan(360);
    expect(last).toBeLessThan(endMs + DAY_MS);
    const quarters = [0, 1, 2, 3].map((quarter) => {
      const [from, to] = [first + (quarter * (last - first)) / 4, first + ((quarter + 1) * (last - first)) / 4];
      return times.filter((time) => time >= from && time <= to).length;
    });
    expect(Math.min(...quarters)).toBeGreaterThan(RECEIPTS / 20);
  });

  it('is rebuilt to the rows that applying its receipts gives', async () => {
    await using live = await liveDatabase();
    await live.apply((await storedAt('sand')).map((read) => ({ ...read, position: positionOf(read.receipt.eventId) })));
    const before = await live.dump();
    const { exitCode } = await run('projector/main.ts', ['rebuild', '--json'], {
      ...{ DATABASE_URL: live.url, RECEIPT_STORE: `fs:${placeAt('sand').location.directory}` },
    });
    expect(exitCode).toBe(0);
    expect(await live.dump()).toEqual(before);
  }, 120_000);

  it('can be served: its keys and seeds open with the local signer and sealer, and its operator may go on', async () => {
    const { keysDirectory, location } = placeAt('sand');
    const ports = {
      store: await openFileStore(location.directory),
      signer: await openLocalSigner(keysDirectory),
      sealer: await openLocalSealer(keysDirectory),
    };
    const all = { ...ports, readModel: memoryReadModel(), clock: systemClock, notify: () => undefined, trust: made.fingerprint };
    const opened = (await storedAt('sand')).filter(({ receipt }) => receipt.type === 'DROP_OPENED').at(-1)?.receipt;
    if (opened?.stream.type !== 'collection') throw new Error('no drop');
    const { commands } = openLedger(all);
    const context = { userId: userNamed('sand', 'operator'), ifMatch: null };
    const drop = { collectionId: opened.stream.collectionId, identityId: OPERATOR_IDENTITY_ID, title: 'Week 13', packSize: 5 };
    const idempotencyKey = granted(parseIdempotencyKey('one-more'));
    granted(await commands.openDrop({ ...context, idempotencyKey }, drop));
    const dropId = opened.payload.dropId as Parameters<typeof commands.closeDrop>[1]['dropId'];
    const closing = { ...context, idempotencyKey: granted(parseIdempotencyKey('one-less')) };
    granted(await commands.closeDrop(closing, { ...drop, dropId }));
    expect(await verifyAt('sand')).toMatchObject({ verdict: 'valid', receipts: RECEIPTS + 2 });
    for (const part of Object.values(ports)) await part.close();
  }, 120_000);

  it('has the same shape for the same seed, by however many threads, and another for another', async () => {
    const again = granted(await generateAt('again', { threads: 2 }));
    const other = granted(await generateAt('other', { seed: 'stone' }));
    const shape = ({ receipts, streams, types }: Generated) => ({ receipts, streams, types });
    expect(shape(again)).toEqual(shape(made));
    expect(again.fingerprint).not.toBe(made.fingerprint);
    expect(shape(other)).not.toEqual(shape(made));
    expect(other.receipts).toBe(RECEIPTS);
  }, 300_000);
});

describe('generating', () => {
  it('refuses a store that holds a ledger, and writes nothing', async () => {
    const names = async () => (await readdir(room, { recursive: true })).filter((name) => !name.includes('.tmp')).sort();
    const before = await names();
    expect(await generateAt('sand')).toMatchObject({ ok: false, error: { code: 'store-used' } });
    expect(await names()).toEqual(before);
  });

  it('ends a shorter ledger that is valid when it is told to stop', async () => {
    const stop = new AbortController();
    const onProgress = (receipts: number): void => {
      if (receipts > 200) stop.abort();
    };
    const shorter = granted(await generateAt('shorter', { receipts: 50_000, signal: stop.signal, onProgress }));
    expect(shorter.stopped).toBe(true);
    expect(shorter.receipts).toBeLessThan(50_000);
    expect(await verifyAt('shorter')).toMatchObject({ verdict: 'valid', receipts: shorter.receipts });
  }, 300_000);

  it('stops with what is wrong when the store fails under it', async () => {
    const { directory } = placeAt('failing').location;
    const onProgress = (receipts: number): void => {
      // As if its volume had gone.
      if (receipts > 200) rmSync(join(directory, '.tmp'), { recursive: true, force: true });
    };
    const failing = generateAt('failing', { receipts: 50_000, onProgress });
    await expect(failing).rejects.toMatchObject({ name: 'Outage', dependency: 'store', code: 'store-unavailable' });
    // A trade may be half done, as after any outage.
    for (const { code } of (await verifyAt('failing')).faults) expect(code).toBe('trade-unsettled');
  }, 300_000);

  it('leaves whole receipts in true chains when it is killed', async () => {
    const child = run('scripts/generate/run.ts', ['--receipts', '500000', '--to', join(room, 'killed')], {});
    await until(async () => (await files(placeAt('killed').location.directory)) > 300);
    child.kill();
    await child;
    const { faults, receipts } = await verifyAt('killed');
    expect(receipts).toBeGreaterThan(200);
    // A trade or a claim may be half done, as after any crash: the service finishes it.
    for (const { code } of faults) expect(code).toBe('trade-unsettled');
    expect(faults.length).toBeLessThan(3);
  }, 300_000);

  it.each([
    ['no number', [], 'wrong-use'],
    ['too few', ['--receipts', '20'], 'wrong-use'],
    ['an unknown option', ['--receipts', '2000', '--recipes', '3'], 'wrong-use'],
    ['a bucket without credentials', ['--receipts', '2000', '--to', 's3://bucket?endpoint=http://localhost:1'], 'wrong-use'],
  ])('ends with 2 for %s', async (_what, args, code) => {
    const { exitCode, stdout } = await run('scripts/generate/run.ts', [...args, '--json'], { AWS_ACCESS_KEY_ID: '' });
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code } });
  });

  it('lays out a directory of data for npm start, from the command line', async () => {
    const to = join(room, 'data');
    const { exitCode, stdout } = await run('scripts/generate/run.ts', ['--receipts', '600', '--to', to, '--json'], {});
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { receipts: 600, stopped: false }]);
    expect((await readdir(to)).sort()).toEqual(['keys', 'receipts', 'secrets']);
    expect((await readFile(join(to, 'secrets', 'codes'), 'utf8')).trim()).toMatch(/^[0-9a-f]{64}$/);
    expect(await readdir(join(to, 'keys'))).toEqual(expect.arrayContaining(['pixpax-idn_operator-1.pem', 'pixpax-seal.key']));
    expect(await verifyAt('data')).toMatchObject({ verdict: 'valid', receipts: 600 });
  }, 120_000);
});

describe('the plan', () => {
  it.each([500, 999, 2_000, 2_001, 12_345, 1_000_000])(
    'of %i receipts gives every neighbourhood room, and adds up',
    (receipts) => {
      const { years, collections } = planOf(receipts, 'sand');
      const sum = years.reduce((total, year) => total + year.receipts, 0);
      expect(receipts - sum).toBe(5 + collections * 21);
      for (const year of years) expect(year.receipts).toBeGreaterThanOrEqual(400);
      expect(planOf(receipts, 'sand')).toEqual(planOf(receipts, 'sand'));
    },
  );
});

type Ended = { readonly exitCode: number | null; readonly stdout: string };

/** A program of ours in a process of its own; never rejects. */
const run = (program: string, args: readonly string[], env: Readonly<Record<string, string>>) => {
  const path = fileURLToPath(new URL(`../${program}`, import.meta.url));
  let kill = (): void => undefined;
  const ended = new Promise<Ended>((resolve) => {
    const child = execFile(process.execPath, [path, ...args], { cwd: room, env: { ...process.env, ...env } }, (_error, stdout) =>
      resolve({ exitCode: child.exitCode, stdout }),
    );
    kill = () => child.kill('SIGKILL');
  });
  return Object.assign(ended, { kill });
};

const files = async (directory: string): Promise<number> =>
  (await readdir(directory, { recursive: true }).catch(() => [])).filter((name) => parseKey(name).ok).length;

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await systemClock.sleep(50);
};
