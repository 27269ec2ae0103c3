import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openLocalSigner } from '../src/adapter/local-signer/signer.ts';
import { faultPlan, withFaults } from '../src/adapter/memory/faults.ts';
import { memorySigner } from '../src/adapter/memory/signer.ts';
import { Outage } from '../src/port/outage.ts';
import { keyNameOf } from '../src/port/signer.ts';
import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID } from '../src/receipt/ids.ts';
import { isDerivedKey, keyAt, snapshotKeyOf } from '../src/receipt/key-path.ts';
import { ok } from '../src/result.ts';
import { type Book, type ColdWorld, coldWorld } from '../src/snapshot/cold-world.fixture.ts';
import { type DomainLedger, domainLedger } from '../test/domain-ledger.ts';
import { type FixtureLedger, fixtureLedger, userId } from '../test/ledger-fixture.ts';
import { runProjector } from './command-line.ts';
import { writeSnapshots } from './snapshots.ts';
import { storeSource } from './store-source.ts';
import { asDirectory, objectsOf } from './tampering.fixture.ts';
import type { ProjectorConfig } from './verb/verb.ts';
import { verifyLedger } from './verify.ts';

const signer = memorySigner();
let d: DomainLedger;
let world: ColdWorld;
beforeAll(async () => {
  d = await domainLedger();
  await signer.createKey(keyNameOf(OPERATOR_IDENTITY_ID, 1));
});
beforeEach(() => {
  world = coldWorld(d.ledger);
});

const write = (options: Partial<Parameters<typeof writeSnapshots>[0]> = {}) =>
  writeSnapshots({
    ...{ source: storeSource(world.store), store: world.store, signer, trust: d.ledger.trust, everyReceipts: 1 },
    ...options,
  });
const books = (): readonly Book[] => [d.a, d.b, d.c, d.idle].map(({ book }) => book);
const derived = (): readonly string[] => [...world.objects.keys()].filter(isDerivedKey).sort();
const receiptsIn = (): string =>
  JSON.stringify(
    [...world.objects].filter(([key]) => !isDerivedKey(key)).map(([key, bytes]) => [key, Buffer.from(bytes).toString()]),
  );

describe('snapshots that are written', () => {
  it('are of every pixbook, good for its readers, and change no receipt', async () => {
    const before = receiptsIn();
    const report = await write();
    expect(report).toMatchObject({ written: 4, fresh: 0, tooLarge: 0, ledger: { verdict: 'valid' } });
    expect(derived()).toEqual(books().map(snapshotKeyOf).sort());
    for (const book of books()) {
      const last = d.ledger.receiptsOf(book).length - 1;
      expect(await world.open().snapshot(book)).toEqual(world.bookAt(book, last));
    }
    expect(receiptsIn()).toBe(before);
    const verified = await verifyLedger({ source: storeSource(world.store), trust: d.ledger.trust, threads: 1 });
    expect(verified).toMatchObject({ verdict: 'valid', faultCount: 0 });
  });

  it('are left alone until their book has enough receipts more', async () => {
    const { book } = d.a;
    const last = d.ledger.receiptsOf(book).length - 1;
    await world.put(book, last - 3);
    const old = world.objects.get(snapshotKeyOf(book));
    expect(await write({ everyReceipts: 4, below: `pixpax/pixbooks/${book.accountId}` })).toMatchObject({ written: 0, fresh: 1 });
    expect(world.objects.get(snapshotKeyOf(book))).toBe(old);
    expect(await write({ everyReceipts: 3, below: `pixpax/pixbooks/${book.accountId}` })).toMatchObject({ written: 1, fresh: 0 });
    expect((await world.open().snapshot(book))?.head.position).toBe(last);
    expect(await write({ everyReceipts: last + 2 })).toMatchObject({ written: 0, fresh: 0 });
  });

  it('take the place of one that no reader would go by', async () => {
    const { book } = d.a;
    const others = [
      Buffer.from('{}'),
      await world.seal(world.bookAt(d.b.book, 1)),
      await world.seal({ ...world.bookAt(book, 3), head: world.bookAt(d.b.book, 3).head }),
    ];
    for (const bytes of others) {
      world.objects.set(snapshotKeyOf(book), bytes);
      expect(await write({ below: `pixpax/pixbooks/${book.accountId}/${book.bookId}` })).toMatchObject({ written: 1, fresh: 0 });
      expect(await world.open().snapshot(book)).not.toBeNull();
    }
  });

  it('are of one account or one pixbook where those are asked for', async () => {
    await write({ below: `pixpax/pixbooks/${d.b.book.accountId}` });
    expect(derived()).toEqual([snapshotKeyOf(d.b.book)]);
  });

  it('are not of a pixbook that is at fault; the others have theirs', async () => {
    world.objects.set(keyAt(d.b.book, 1), Buffer.from('{"poison":1}'));
    world.objects.delete(keyAt(d.c.book, 2));
    const report = await write();
    expect(report).toMatchObject({ written: 2, ledger: { verdict: 'invalid' } });
    expect(derived()).toEqual([snapshotKeyOf(d.a.book), snapshotKeyOf(d.idle.book)].sort());
  });

  it('are none when the operator’s own stream is not true', async () => {
    const operator = { type: 'account', accountId: OPERATOR_ACCOUNT_ID } as const;
    world.objects.set(keyAt(operator, 1), Buffer.from('{"poison":1}'));
    expect(await write()).toMatchObject({ written: 0, ledger: { verdict: 'invalid' } });
    expect(derived()).toEqual([]);
  });

  it('are none, and no pixbook is read, when the signer cannot sign with the operator’s key', async () => {
    const read: string[] = [];
    const source = storeSource({
      ...world.store,
      read: (key) => {
        read.push(key);
        return world.store.read(key);
      },
    });
    const wrong = { sign: (_name: string, message: Uint8Array) => world.signWith('pixpax-other-1', message) };
    for (const each of [memorySigner(), wrong])
      await expect(write({ source, signer: each })).rejects.toMatchObject({ code: 'signer-refused' });
    expect(read.filter((key) => key.startsWith('pixpax/pixbooks/'))).toEqual([]);
    expect(derived()).toEqual([]);
  });

  it('may be written by two at once', async () => {
    const reports = await Promise.all([write(), write()]);
    for (const { written, fresh } of reports) expect(written + fresh).toBe(4);
    for (const book of books()) expect(await world.open().snapshot(book)).not.toBeNull();
  });

  it.each(['error', 'error-but-applied', 'death', 'death-but-applied', 'duplicate'] as const)(
    'are whole or not there after the write of one met %s, and the next run makes the rest',
    async (kind) => {
      const plan = faultPlan({ kind, method: 'replaceDerived', nth: 1 });
      const faulty = withFaults(world.store, plan, 'store');
      const run = write({ store: faulty }).then(
        () => 'done',
        (error: unknown) => error,
      );
      await plan.firstStrike;
      if (kind === 'duplicate') expect(await run).toBe('done');
      if (kind.startsWith('error')) expect(await run).toBeInstanceOf(Outage);
      for (const key of derived()) {
        const book = books().find((each) => snapshotKeyOf(each) === key);
        expect(book === undefined ? null : await world.open().snapshot(book)).not.toBeNull();
      }
      const next = await write();
      expect(next.written + next.fresh).toBe(4);
      expect(derived()).toHaveLength(4);
    },
  );
});

describe('the verb snapshots', () => {
  const keys = mkdtempSync(join(tmpdir(), 'snapshot-keys-'));
  const configured = { signer: { kind: 'local', directory: keys } } as const;
  let ledger: FixtureLedger;
  let store: ReturnType<typeof asDirectory>;
  let book: Book;
  beforeAll(async () => {
    ledger = await fixtureLedger(await openLocalSigner(keys));
    const owner = userId('owner');
    const account = await ledger.createAccount(owner);
    const identityId = await ledger.createIdentity(account.accountId, owner);
    book = await ledger.createPixbook(account.accountId, identityId, d.collectionId);
    for (let n = 1; n <= 4; n++) await ledger.save(book, { n });
    store = asDirectory(objectsOf(ledger.receipts));
  });
  afterAll(() => {
    store[Symbol.dispose]();
    rmSync(keys, { recursive: true });
  });

  const run = async (argv: readonly string[], custody: Pick<ProjectorConfig, 'signer'> = configured) => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const config = { receiptStore: `fs:${store.path}`, s3: null, trust: ledger.trust, ...custody };
    const exitCode = await runProjector(['snapshots', ...argv], {
      config: () => ok({ ...config, database: { kind: 'url', url: 'postgres://nobody@127.0.0.1:1/none' } }),
      stdout: stdout as unknown as NodeJS.WriteStream,
      stderr: stderr as unknown as NodeJS.WriteStream,
    });
    return { exitCode, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
  };
  const file = (): string => join(store.path, snapshotKeyOf(book));

  it.each([
    ['no signer', [], {}, /SIGNER must be set/],
    ['keys that are not there', [], { signer: { kind: 'local', directory: join(keys, 'nowhere') } }, /there are no keys in/],
    [
      'a vault that is none',
      [],
      {
        signer: {
          kind: 'vault',
          address: 'x',
          namespace: null,
          transitMount: 'transit',
          caPem: null,
          login: { method: 'token', token: '' },
        },
      },
      /SIGNER=vault: /,
    ],
    ['a stream of no pixbook', ['--stream', 'pixpax/accounts/acc_x'], undefined, /--stream takes/],
    ['an account that is none', ['--account', 'bob'], undefined, /--account takes/],
    ['both', ['--account', 'acc_01JZ0000000000000000000000', '--stream', 'pixpax/pixbooks'], undefined, /do not go together/],
    ['a number that is none', ['--every', '0'], undefined, /--every takes/],
  ] as const)('says what to do about %s, and writes nothing', async (_what, argv, custody, text) => {
    const { exitCode, err } = await run(argv, custody);
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: expect.stringMatching(text) });
    expect([existsSync(file()), existsSync(join(keys, 'nowhere'))]).toEqual([false, false]);
  });

  it('writes those that are due, and says how many', async () => {
    expect(await run([])).toEqual({ exitCode: 0, err: '', out: 'snapshots: 0 written, 0 others not old yet, 8 receipts read\n' });
    expect(existsSync(file())).toBe(false);
    const { exitCode, out } = await run(['--every', '5', '--json']);
    expect({ exitCode, said: JSON.parse(out) as unknown }).toMatchObject({
      exitCode: 0,
      said: { written: 1, fresh: 0, tooLarge: 0 },
    });
    expect(existsSync(file())).toBe(true);
    expect(await run(['--every', '5', '--account', book.accountId])).toMatchObject({
      out: 'snapshots: 0 written, 1 other not old yet, 8 receipts read\n',
    });
  });
});
