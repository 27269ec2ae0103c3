import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyAt } from '../../src/receipt/key-path.ts';
import { ok } from '../../src/result.ts';
import { runProjector } from '../command-line.ts';
import { type SmallLedger, asDirectory, objectsOf, smallLedger } from '../tampering.fixture.ts';

describe('verify --record', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pixpax-record-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const at = (name: string): string => join(folder, name);

  let small: SmallLedger;
  let whole: ReturnType<typeof asDirectory>;
  let shorter: ReturnType<typeof asDirectory>;
  beforeAll(async () => {
    small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    whole = asDirectory(objects);
    objects.delete(keyAt(small.bookB, 2));
    shorter = asDirectory(objects);
  });
  afterAll(() => {
    for (const directory of [whole, shorter]) directory[Symbol.dispose]();
  });

  /** Runs the command line and answers what it said. */
  const run = async (...argv: readonly string[]) => {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const database = { kind: 'embedded', directory: at('data/postgres') } as const;
    const exitCode = await runProjector(['verify', ...argv, '--threads', '1'], {
      config: () => ok({ receiptStore: `fs:${whole.path}`, s3: null, database, trust: null }),
      stdout: stdout as unknown as NodeJS.WriteStream,
      stderr: stderr as unknown as NodeJS.WriteStream,
    });
    return { exitCode, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
  };

  it('says at first that there was no record, then how much had changed, and ends as ever', async () => {
    const first = await run('--record', at('first'));
    expect(first).toMatchObject({ exitCode: 0, err: '' });
    expect(first.out).toMatch(/^record {5}none yet: everything was verified\n/);
    expect(first.out).toContain('none unchanged, 0 grown, 5 new, 0 looked at again; 14 signatures checked');
    expect(first.out).toMatch(/\nvalid: 14 receipts in 5 streams, [^\n]+\n$/);
    expect(readdirSync(at('first/verifications'))).toHaveLength(2);
    expect(readdirSync(at('data'))).toEqual(['verifier-key.pem']);
    const [, next = ''] = /next +(\S+)/.exec(first.out) ?? [];
    expect((await run('--record', at('first'))).out).toMatch(new RegExp(`^record {5}${next}, as of 20`));
  });

  it('answers with --json what it answers without, and the record', async () => {
    const key = ['--record', at('json'), '--record-key', at('json.pem')];
    await run(...key);
    const { exitCode, out } = await run(...key, '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'valid',
      receipts: 14,
      record: {
        from: { relied: true, verifier: 1 },
        signedBy: expect.stringMatching(/^sha256:/),
        signatures: expect.any(Number),
      },
    });
  });

  it('ends with 3 when something that was there is gone, and with --anew forgets that it was', async () => {
    const key = ['--record', at('gone'), '--record-key', at('gone.pem')];
    await run(whole.path, ...key);
    const { exitCode, out } = await run(shorter.path, ...key);
    expect(exitCode).toBe(3);
    expect(out).toContain(`verified-receipt-gone at position 2\n  ${keyAt(small.bookB, 2)}\n`);
    expect(out).toContain('none: the ledger is not valid, and the record stays as it is');
    expect(await run(shorter.path, ...key, '--anew')).toMatchObject({ exitCode: 0 });
  });

  it('ends with 2 when the record is another’s, and verifies nothing', async () => {
    await run('--record', at('other'), '--record-key', at('one.pem'));
    const refused = await run('--record', at('other'), '--record-key', at('two.pem'), '--json');
    expect(refused.exitCode).toBe(2);
    expect(JSON.parse(refused.out)).toMatchObject({ error: { code: 'record-key-other' } });
    expect((await run('--record', at('other'), '--record-key', at('two.pem'))).err).toMatch(
      /^record-key-other: .* use --anew\n$/,
    );
  });

  it('takes a fingerprint that the verifier’s key must have', async () => {
    const key = ['--record', at('pinned'), '--record-key', at('pinned.pem')];
    const { out } = await run(...key);
    const [, fingerprint = ''] = /signed by +(\S+)/.exec(out) ?? [];
    expect(await run(...key, '--record-trust', fingerprint)).toMatchObject({ exitCode: 0 });
    expect(await run(...key, '--record-trust', `sha256:${'0'.repeat(64)}`)).toMatchObject({ exitCode: 2, out: '' });
  });

  it.each([
    ['a stream', ['--record', 'x', '--stream', 'pixpax/accounts']],
    ['everything and a record', ['--record', at('deep'), '--record-key', at('deep.pem'), '--deep']],
    ['a key without a record', ['--record-key', 'x']],
    ['a new beginning without a record', ['--anew']],
    ['a place that is none', ['--record', 'ftp://x']],
    ['a fingerprint that is none', ['--record', 'x', '--record-trust', 'x']],
  ])('refuses %s', async (_, argv) => {
    expect(await run(...argv)).toMatchObject({ exitCode: 2, out: '' });
  });
});
