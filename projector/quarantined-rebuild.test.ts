import { describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { OPERATOR_ACCOUNT_ID } from '../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { accountStream } from '../src/receipt/stream.ts';
import { granted } from '../test/ledger-fixture.ts';
import { expectedDump, liveDatabase } from './projection.fixture.ts';
import { rebuild } from './rebuild.ts';
import { storeSource } from './store-source.ts';
import { type SmallLedger, objectsOf, setText, smallLedger, textAt } from './tampering.fixture.ts';

type Objects = ReturnType<typeof objectsOf>;
type Poison = (objects: Objects, ledger: SmallLedger) => void;

const flipped: Poison = (objects, { bookA }) =>
  setText(objects, bookA, 2, textAt(objects, bookA, 2).replace('"page":2', '"page":3'));
const gone: Poison = (objects, { bookA }) => void objects.delete(keyAt(bookA, 2));
const nonsense: Poison = (objects, { bookA }) => setText(objects, bookA, 2, '{}');

describe('a rebuild with quarantine', () => {
  it.each([
    ['a flipped byte', flipped, 'hash-mismatch', 'invalid'],
    ['a missing object', gone, 'missing', 'incomplete'],
    ['what is no receipt', nonsense, 'members', 'invalid'],
  ] as const)('projects a stream with %s up to there, and all others whole', async (_, poison, code, verdict) => {
    await using live = await liveDatabase();
    const small = await smallLedger();
    const { ledger, bookA } = small;
    await live.apply(ledger.receipts);
    const objects = objectsOf(ledger.receipts);
    poison(objects, small);
    const source = storeSource(memoryStore(objects));
    const report = granted(await rebuild({ source, databaseUrl: live.url, trust: ledger.trust, quarantine: true }));
    expect(report).toMatchObject({
      quarantined: [prefixOf(bookA)],
      drifted: false,
      ledger: { verdict, faults: [{ stream: prefixOf(bookA), position: 2, code }] },
    });
    const sound = ledger.receipts.filter(({ receipt, position }) => prefixOf(receipt.stream) !== prefixOf(bookA) || position < 2);
    expect(await live.dump()).toEqual(expectedDump(sound));

    // Mended, it is made whole by the next.
    const mended = storeSource(memoryStore(objectsOf(ledger.receipts)));
    const again = granted(await rebuild({ source: mended, databaseUrl: live.url, trust: ledger.trust, quarantine: true }));
    expect(again).toMatchObject({ quarantined: [], ledger: { verdict: 'valid' } });
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it('holds the books of a poisoned account too, which rest on it', async () => {
    await using live = await liveDatabase();
    const { ledger, a, bookA } = await smallLedger();
    await live.apply(ledger.receipts);
    const objects = objectsOf(ledger.receipts);
    const account = accountStream(a.accountId);
    setText(objects, account, 2, textAt(objects, account, 2).replace('"', "'"));
    const source = storeSource(memoryStore(objects));
    const report = granted(await rebuild({ source, databaseUrl: live.url, trust: ledger.trust, quarantine: true }));
    expect(report.quarantined).toEqual([prefixOf(account), prefixOf(bookA)]);
  });

  it('changes nothing when the operator’s own stream is poisoned', async () => {
    await using live = await liveDatabase();
    const { ledger } = await smallLedger();
    await live.apply(ledger.receipts);
    const before = await live.dump();
    const objects = objectsOf(ledger.receipts);
    setText(objects, accountStream(OPERATOR_ACCOUNT_ID), 0, '{}');
    const source = storeSource(memoryStore(objects));
    expect(await rebuild({ source, databaseUrl: live.url, trust: ledger.trust, quarantine: true })).toMatchObject({
      ok: false,
      error: { code: 'ledger-not-valid' },
    });
    expect(await live.dump()).toEqual(before);
  });
});
