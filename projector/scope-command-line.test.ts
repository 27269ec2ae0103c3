import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventIdAt, prefixOf } from '../src/receipt/key-path.ts';
import { configFor, run } from './command-line.fixture.ts';
import { type LiveDatabase, expectedDump, liveDatabase } from './projection.fixture.ts';
import { type SmallLedger, asDirectory, objectsOf, setText, smallLedger } from './tampering.fixture.ts';

describe('the command line, by stream and by account', () => {
  let small: SmallLedger;
  let live: LiveDatabase;
  let good: ReturnType<typeof asDirectory>;
  let bad: ReturnType<typeof asDirectory>;
  beforeAll(async () => {
    small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    good = asDirectory(objects);
    setText(objects, small.bookA, 2, '{"poison":1}');
    bad = asDirectory(objects);
    live = await liveDatabase();
    await live.apply(small.ledger.receipts);
  });
  afterAll(async () => {
    for (const directory of [good, bad]) directory[Symbol.dispose]();
    await live[Symbol.asyncDispose]();
  });
  const damage = ({ bookA }: SmallLedger) =>
    live.pool.query(`UPDATE projection.pixbooks SET status = 'closed' WHERE book_id = $1`, [bookA.bookId]);

  it.each<[string, readonly string[], string]>([
    ['a stream that is none', ['--stream', '/etc'], 'wrong-use'],
    ['an account that is none', ['--account', 'bob'], 'wrong-use'],
    ['both', ['--stream', 'pixpax/codes', '--account', 'acc_operator'], 'wrong-use'],
    ['a stream without a name', ['--stream'], 'wrong-use'],
    ['a stream that is nowhere', ['--stream', 'pixpax/accounts/x'], 'unknown-stream'],
    ['an account that is nowhere', ['--account', `acc_${'0'.repeat(26)}`], 'unknown-stream'],
  ])('refuses %s with exit code 2', async (_, argv, code) => {
    for (const verb of ['drift', 'repair']) {
      const { exitCode, out } = await run([verb, ...argv, '--json'], configFor(good.path, live.url));
      expect(JSON.parse(out)).toMatchObject({ error: { code } });
      expect(exitCode).toBe(2);
    }
  });

  it('says on stderr which stream it does not know', async () => {
    expect(await run(['drift', '--stream', 'pixpax/codes/'], configFor(good.path, live.url))).toEqual({
      exitCode: 2,
      out: '',
      err: expect.stringMatching(/^there is no stream at or below pixpax\/codes, in .+ or applied\n$/),
    });
    expect(await run(['repair', '--rows'], configFor(good.path, live.url))).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('for the whole ledger run `rebuild`'),
    });
  });

  it('finds a damaged row where it is and nowhere else, and mends it', async () => {
    const config = configFor(good.path, live.url);
    const [streamA, streamB] = [prefixOf(small.bookA), prefixOf(small.bookB)];
    await damage(small);
    const found = await run(['drift', '--account', small.a.accountId], config);
    expect(found).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining(`row changed  pixbooks  ${small.bookA.bookId}  in status  of ${streamA}`),
    });
    expect(found.out.trimEnd().split('\n').at(-1)).toMatch(/^DRIFT: 0 heads and 1 row of .*; run `repair --rows` on the same$/);
    expect(await run(['drift', '--stream', streamB], config)).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/^no drift: /),
    });
    expect(await run(['drift'], config)).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining(`run \`repair --rows --stream ${streamA}\`, or \`rebuild\``),
    });
    expect(await run(['status'], config)).toMatchObject({ exitCode: 1, out: expect.stringContaining('1 difference') });
    expect(await run(['repair', '--stream', streamA], config)).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('repaired: nothing was missing, '),
    });
    expect(await run(['repair', '--stream', streamA, '--rows'], config)).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(
        new RegExp(`^${streamA} {2}1 removed {2}1 written\n\nrepaired: nothing was missing, rows of 1 stream mended, `),
      ),
    });
    expect(await live.dump()).toEqual(expectedDump(small.ledger.receipts));
    expect(await run(['drift'], config)).toMatchObject({ exitCode: 0 });
    expect(await run(['status'], config)).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/\nstatus: all is well, as far as Postgres knows\n$/),
    });
  });

  it('names a head that was set back, which applying cannot mend', async () => {
    const config = configFor(good.path, live.url);
    const { bookId } = small.bookA;
    await live.pool.query(
      `UPDATE projection.pixbook_ledger_heads SET position = 1, event_id = $2,
         hash = (SELECT hash FROM projection.receipts WHERE event_id = $2) WHERE book_id = $1`,
      [bookId, eventIdAt(small.bookA, 1)],
    );
    expect(await run(['repair', '--stream', prefixOf(small.bookA)], config)).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining('run `repair --rows` on the same, or `rebuild`.'),
    });
    expect(await run(['repair', '--account', small.a.accountId, '--rows'], config)).toMatchObject({ exitCode: 0 });
    expect(await live.dump()).toEqual(expectedDump(small.ledger.receipts));
  });

  it('tells by drift, repair and status of a stream at fault, until it is mended', async () => {
    const account = ['--account', small.a.accountId];
    const poisoned = configFor(bad.path, live.url);
    expect(await run(['drift', ...account], poisoned)).toMatchObject({
      exitCode: 1,
      out: expect.stringMatching(/members at position 2[\s\S]*\nno drift: /),
    });
    expect(await run(['repair', ...account], poisoned)).toMatchObject({ exitCode: 1 });
    const status = await run(['status'], poisoned);
    expect(status).toMatchObject({ exitCode: 1, out: expect.stringMatching(/\nstatus: 1 stream quarantined\n$/) });
    expect(status.out).toContain(`quarantined  ${prefixOf(small.bookA)}  members at position 2  since 2`);
    expect(JSON.parse((await run(['status', '--json'], poisoned)).out)).toMatchObject({
      quarantined: [{ stream: prefixOf(small.bookA), foundBy: 'repair' }],
    });
    expect(await run(['repair', ...account], configFor(good.path, live.url))).toMatchObject({ exitCode: 0 });
    expect(await run(['status'], configFor(good.path, live.url))).toMatchObject({ exitCode: 0 });
  });

  it('asks Postgres alone how it stands, and ends with 2 when it is away', async () => {
    expect(await run(['status'], configFor('/nowhere/at/all', live.url))).toMatchObject({ exitCode: 0 });
    const { exitCode, out } = await run(['status', '--json'], configFor(good.path));
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'postgres-unavailable' } });
    expect(exitCode).toBe(2);
    await using empty = await liveDatabase({ empty: true });
    expect(await run(['status'], configFor(good.path, empty.url))).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining('missing: run `rebuild`'),
    });
  });
});
