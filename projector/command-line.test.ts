import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { tradeCertificate } from '../src/certificate/make.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { domainLedger } from '../test/domain-ledger.ts';
import { configFor, run } from './command-line.fixture.ts';
import { expectedDump, liveDatabase } from './projection.fixture.ts';
import { type SmallLedger, asDirectory, objectsOf, setText, smallLedger } from './tampering.fixture.ts';

describe('the command line', () => {
  let small: SmallLedger;
  let good: ReturnType<typeof asDirectory>;
  let bad: ReturnType<typeof asDirectory>;
  let gap: ReturnType<typeof asDirectory>;
  beforeAll(async () => {
    small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    good = asDirectory(objects);
    const poisoned = new Map(objects);
    setText(poisoned, small.bookA, 2, '{"poison":1}');
    bad = asDirectory(poisoned);
    objects.delete(keyAt(small.bookB, 1));
    gap = asDirectory(objects);
  });
  afterAll(() => {
    for (const directory of [good, bad, gap]) directory[Symbol.dispose]();
  });

  it('says valid in one line at the end, with the anchor', async () => {
    const { exitCode, out, err: said } = await run(['verify', good.path, '--threads', '1']);
    expect({ exitCode, said }).toEqual({ exitCode: 0, said: '' });
    expect(out.trimEnd().split('\n').at(-1)).toBe(
      `valid: 14 receipts in 5 streams, trust anchor ${small.ledger.trust} (not pinned)`,
    );
    const pinned = await run(['verify', `fs:${good.path}`, '--trust', small.ledger.trust, '--threads', '1']);
    expect(pinned.out.trimEnd().split('\n').at(-1)).toBe(
      `valid: 14 receipts in 5 streams, trust anchor ${small.ledger.trust} (pinned)`,
    );
  });

  it('names the wrong key and ends with INVALID', async () => {
    const { exitCode, out } = await run(['verify', bad.path, '--threads', '1']);
    expect(exitCode).toBe(1);
    expect(out).toContain(`members at position 2\n  ${keyAt(small.bookA, 2)}\n`);
    expect(out).toContain('2 receipts after it cannot be judged');
    expect(out).toMatch(
      /\nINVALID: 1 fault, 11 receipts good, 2 receipts cannot be judged, trust anchor sha256:\w{64} \(not pinned\)\n$/,
    );
  });

  it.each([
    ['verify a valid ledger', () => ['verify', good.path], 0, { verdict: 'valid', receipts: 14 }],
    ['verify an invalid one', () => ['verify', bad.path], 1, { verdict: 'invalid', faults: [{ code: 'members' }] }],
    ['verify one with a gap', () => ['verify', gap.path], 3, { verdict: 'incomplete', faults: [{ code: 'missing' }] }],
    ['verify the configured one', () => ['verify'], 0, { verdict: 'valid' }],
    ['verify one stream', () => ['verify', good.path, '--stream', prefixOf(small.bookB)], 0, { verdict: 'valid', streams: 3 }],
    [
      'verify a stream that is not there',
      () => ['verify', good.path, '--stream', 'pixpax/accounts/x'],
      2,
      { error: { code: 'wrong-use' } },
    ],
    ['verify with a stream that is none', () => ['verify', good.path, '--stream', '/etc'], 2, { error: { code: 'wrong-use' } }],
    [
      'verify the wrong ledger',
      () => ['verify', good.path, '--trust', `sha256:${'0'.repeat(64)}`],
      1,
      { faults: [{ code: 'trust-mismatch' }] },
    ],
    ['verify nothing', () => ['verify', join(good.path, 'nowhere')], 2, { error: { code: 'store-unavailable' } }],
    ['a store of no kind', () => ['verify', 'ftp://x'], 2, { error: { code: 'wrong-use' } }],
    ['a fingerprint that is none', () => ['verify', good.path, '--trust', 'x'], 2, { error: { code: 'wrong-use' } }],
    ['a mistyped option', () => ['verify', good.path, '--strem', 'x'], 2, { error: { code: 'wrong-use' } }],
    ['an option without its value', () => ['verify', good.path, '--stream'], 2, { error: { code: 'wrong-use' } }],
    ['an argument too many', () => ['verify', good.path, 'again'], 2, { error: { code: 'wrong-use' } }],
    ['a verb that is none', () => ['verfy'], 2, { error: { code: 'wrong-use' } }],
    ['rebuild without Postgres', () => ['rebuild'], 2, { error: { code: 'postgres-unavailable' } }],
    ['repair without Postgres', () => ['repair'], 2, { error: { code: 'postgres-unavailable' } }],
    ['drift without Postgres', () => ['drift'], 2, { error: { code: 'postgres-unavailable' } }],
    ['export without an account', () => ['export', '--to', 'x'], 2, { error: { code: 'wrong-use' } }],
    ['export of what is no account', () => ['export', '--account', 'bob', '--to', 'x'], 2, { error: { code: 'wrong-use' } }],
    ['import of nothing', () => ['import'], 2, { error: { code: 'wrong-use' } }],
  ])('answers %s with one JSON document and its exit code', async (_, argv, expected, json) => {
    const { exitCode, out } = await run([...argv(), '--json'], configFor(good.path));
    expect(JSON.parse(out)).toMatchObject(json);
    expect(exitCode).toBe(expected);
  });

  it('asks for no configuration where none is needed, and says what is wrong with it where it is', async () => {
    expect(await run(['verify', good.path, '--threads', '1'])).toMatchObject({ exitCode: 0 });
    for (const verb of ['verify', 'rebuild', 'repair', 'drift'])
      expect(await run([verb])).toEqual({ exitCode: 2, out: '', err: 'DATABASE_URL must be set\n' });
  });

  it.each([[['--help']], [['help']], [['verify', '--help']], [['import', '-h']]])('explains itself to %j', async (argv) => {
    const { exitCode, out } = await run(argv);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^USAGE pixpax-ledger/m);
  });

  it('lets no control character of an object’s name reach the terminal', async () => {
    const objects = objectsOf(small.ledger.receipts);
    objects.set(`${prefixOf(small.bookA)}/events/\u001b[2Jvalid\n.json`, Buffer.from('x'));
    using directory = asDirectory(objects);
    const { exitCode, out } = await run(['verify', directory.path, '--threads', '1']);
    expect(exitCode).toBe(1);
    expect(out).toContain(String.raw`/events/\x1b[2Jvalid\x0a.json`);
    expect(out).not.toContain('\u001b');
  });

  it('exports an account and imports it elsewhere', async () => {
    const base = mkdtempSync(join(tmpdir(), 'pixpax-cli-'));
    try {
      const [exported, target] = [join(base, 'out'), join(base, 'target')];
      const { accountId } = small.a;
      const one = await run(['export', '--account', accountId, '--to', exported], configFor(good.path));
      expect(one).toMatchObject({ exitCode: 0, out: `exported: 9 receipts written to fs:${exported}\n` });
      const two = await run(['import', exported], configFor(target));
      expect(two).toMatchObject({ exitCode: 0, out: `imported: 9 receipts written to fs:${target}\n` });
      expect(await run(['import', exported], configFor(target))).toMatchObject({
        out: `imported: 0 receipts written to fs:${target}, 9 there before\n`,
      });
      expect(await run(['verify', target, '--threads', '1'])).toMatchObject({ exitCode: 0 });
      expect(readdirSync(join(target, 'pixpax/accounts')).sort()).toEqual([accountId, 'acc_operator'].sort());
      expect(await run(['import', bad.path], configFor(target))).toMatchObject({ exitCode: 1 });
      expect(await run(['import', gap.path, '--json'], configFor(target))).toMatchObject({ exitCode: 3 });
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  });

  it('verifies a certificate that lies in a file, with nothing else', async () => {
    const d = await domainLedger();
    const made = await tradeCertificate(memoryStore(objectsOf(d.ledger.receipts)), { ...d.a.book, tradeId: d.swap });
    const directory = mkdtempSync(join(tmpdir(), 'pixpax-cli-'));
    try {
      const [good, bad, none] = ['good.json', 'bad.json', 'none.json'].map((name) => join(directory, name)) as [
        string,
        string,
        string,
      ];
      writeFileSync(good, JSON.stringify(made, null, 2));
      writeFileSync(bad, JSON.stringify(made).replace('CARD_TRADE_SETTLED', 'CARD_TRADE_CERTAIN'));
      writeFileSync(none, 'no JSON');
      const valid = await run(['verify', good, '--trust', d.ledger.trust]);
      expect(valid.exitCode).toBe(0);
      expect(valid.out).toMatch(new RegExp(`^trade +${d.swap}$`, 'm'));
      expect(valid.out).toMatch(/^accepter +idn_\w+ of acc_\w+, pixbook bk_\w+\n {2}gave +2 cards$/m);
      expect(valid.out).toContain('It cannot prove\n- that the keys');
      expect(valid.out.trimEnd().split('\n').at(-1)).toBe(`valid: a trade certificate, trust anchor ${d.ledger.trust} (pinned)`);
      const invalid = await run(['verify', bad]);
      expect(invalid).toMatchObject({
        exitCode: 1,
        out: expect.stringMatching(/^hash-mismatch\n {2}pixpax\/pixbooks\/.*\nINVALID: /s),
      });
      const json = await run(['verify', bad, '--json']);
      expect(JSON.parse(json.out)).toMatchObject({ verdict: 'invalid', fault: { code: 'hash-mismatch' }, proves: null });
      expect(await run(['verify', none])).toMatchObject({ exitCode: 1, out: expect.stringContaining('not-a-certificate') });
      expect(await run(['verify', good, '--stream', 'pixpax/accounts'])).toMatchObject({ exitCode: 2 });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('repairs, rebuilds and finds no drift, and says so', async () => {
    await using live = await liveDatabase();
    const config = configFor(good.path, live.url);
    expect(await run(['drift'], config)).toMatchObject({
      exitCode: 1,
      out: expect.stringMatching(/\nDRIFT: 5 heads and \d+ rows of 14 receipts in 5 streams; run `repair`\n$/),
    });
    expect(await run(['repair'], config)).toMatchObject({
      exitCode: 0,
      out: 'repaired: 14 receipts applied in 5 streams, 14 receipts read\n',
    });
    expect(await run(['drift'], config)).toMatchObject({
      exitCode: 0,
      out: 'no drift: the projection is what 14 receipts in 5 streams give\n',
    });
    const rebuilt = await run(['rebuild'], config);
    expect(rebuilt).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('The live projection was what the receipts give.'),
    });
    expect(rebuilt.out.trimEnd().split('\n').at(-1)).toBe(
      `rebuilt: 14 receipts in 5 streams, trust anchor ${small.ledger.trust} (not pinned)`,
    );
    await live.pool.query(`UPDATE projection.pixbooks SET status = 'closed' WHERE book_id = $1`, [small.bookA.bookId]);
    expect(await run(['drift'], config)).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining(`row changed  pixbooks  ${small.bookA.bookId}  in status`),
    });
    expect(await run(['rebuild', '--json'], config)).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('"drifted":true'),
    });
    expect(await live.dump()).toEqual(expectedDump(small.ledger.receipts));
    const poisoned = configFor(bad.path, live.url);
    expect(await run(['rebuild'], poisoned)).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining('The projection was left as it is.'),
    });
    expect(await run(['repair', '--json'], poisoned)).toMatchObject({ exitCode: 1 });
    expect(await run(['drift'], configFor(gap.path, live.url))).toMatchObject({ exitCode: 3 });
    expect(await live.dump()).toEqual(expectedDump(small.ledger.receipts));
  });
});
