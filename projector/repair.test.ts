import { describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { expectedDump, liveDatabase } from './projection.fixture.ts';
import { repair } from './repair.ts';
import { storeSource } from './store-source.ts';
import { objectsOf, setText, smallLedger } from './tampering.fixture.ts';

describe('repair', () => {
  it('applies what is missing, and nothing twice', async () => {
    await using live = await liveDatabase();
    const { ledger } = await smallLedger();
    await live.apply(ledger.receipts.slice(0, 7));
    const source = storeSource(memoryStore(objectsOf(ledger.receipts)));
    const options = { source, model: live.model, trust: ledger.trust };
    expect(await repair(options)).toMatchObject({ ledger: { verdict: 'valid' }, applied: 7, unmended: [] });
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
    expect(await repair(options)).toMatchObject({ applied: 0, appliedStreams: 0, unmended: [] });
  });

  it('fills a projection that was dropped', async () => {
    await using live = await liveDatabase();
    const { ledger } = await smallLedger();
    await live.pool.query('DROP SCHEMA projection CASCADE');
    await repair({ source: storeSource(memoryStore(objectsOf(ledger.receipts))), model: live.model, trust: null });
    expect(await live.dump()).toEqual(expectedDump(ledger.receipts));
  });

  it('names a poisoned stream, applies it up to there, and does all the others', async () => {
    await using live = await liveDatabase();
    const { ledger, bookA } = await smallLedger();
    const objects = objectsOf(ledger.receipts);
    setText(objects, bookA, 2, '{"poison":true}');
    const report = await repair({ source: storeSource(memoryStore(objects)), model: live.model, trust: null });
    expect(report).toMatchObject({
      ledger: { verdict: 'invalid', faults: [{ key: keyAt(bookA, 2), code: 'members', unverifiable: 2 }] },
      applied: 11,
    });
    const good = ledger.receipts.filter(({ receipt, position }) => prefixOf(receipt.stream) !== prefixOf(bookA) || position < 2);
    expect(await live.dump()).toEqual(expectedDump(good));
  });

  it.each([
    ['another receipt is applied', 'hash', `'sha256:${'0'.repeat(64)}'`, { position: 4, code: 'different' }],
    ['receipts are applied that the store does not have', 'position', '6', { position: 6, code: 'ahead' }],
  ])('tells where %s', async (_, column, value, unmended) => {
    await using live = await liveDatabase();
    const { ledger, bookA } = await smallLedger();
    await live.apply(ledger.receipts);
    await live.pool.query(`UPDATE projection.pixbook_ledger_heads SET ${column} = ${value} WHERE book_id = $1`, [bookA.bookId]);
    const report = await repair({ source: storeSource(memoryStore(objectsOf(ledger.receipts))), model: live.model, trust: null });
    expect(report).toMatchObject({ applied: 0, unmended: [{ stream: prefixOf(bookA), ...unmended }] });
  });
});
