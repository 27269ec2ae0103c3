import { describe, expect, it } from 'vitest';
import { type MemoryObjects, memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import { codeStream, collectionStream } from '../src/receipt/stream.ts';
import { type DomainLedger, domainLedger } from '../test/domain-ledger.ts';
import { issueCodePack, issuePack } from '../test/ledger-cards.ts';
import { claimCode, openDrop, retireSeries, seriesId } from '../test/ledger-collection.ts';
import { granted } from '../test/ledger-fixture.ts';
import { traded } from '../test/ledger-trade.ts';
import { drift } from './drift.ts';
import { forgedGrant } from './forgery.fixture.ts';
import { type LiveDatabase, expectedDump, liveDatabase } from './projection.fixture.ts';
import { rebuild } from './rebuild.ts';
import { repair } from './repair.ts';
import { storeSource } from './store-source.ts';
import { objectsOf } from './tampering.fixture.ts';
import { verifyLedger } from './verify.ts';

const sourceOver = (objects: MemoryObjects) => storeSource(memoryStore(objects));
const sourceOf = ({ ledger }: DomainLedger) => sourceOver(objectsOf(ledger.receipts));

const driftOf = async (live: LiveDatabase, d: DomainLedger) =>
  granted(await drift({ source: sourceOf(d), databaseUrl: live.url, trust: d.ledger.trust }));

/** A little of everything that is signed by somebody else than whose stream it is. */
const moreOf = async ({ ledger, collectionId, a, b, codes, drops, reserved, standing }: DomainLedger) => {
  await traded(ledger, reserved, 'accept-trade');
  await traded(ledger, reserved, 'settle-trade');
  await traded(ledger, standing, 'decline-trade');
  await claimCode(ledger, codes.free, a.book);
  await issueCodePack(ledger, a.book, codes.free);
  await issuePack(ledger, b.book, drops.open);
  await openDrop(ledger, collectionId);
  await retireSeries(ledger, collectionId, seriesId('reed'));
};

describe('the projection of collections, codes, packs and trades', () => {
  it('is caught up with what came while it was made anew, whoever signed it', async () => {
    await using live = await liveDatabase();
    const d = await domainLedger();
    await live.apply(d.ledger.receipts);
    const before = d.ledger.receipts.length;
    await moreOf(d);
    const [old, later] = [d.ledger.receipts.slice(0, before), d.ledger.receipts.slice(before)];
    const objects = objectsOf(old);
    let growing: Promise<void> | null = null;
    const report = granted(
      await rebuild({
        source: sourceOver(objects),
        databaseUrl: live.url,
        trust: d.ledger.trust,
        onProgress: ({ receipts }) => {
          if (receipts < before || growing !== null) return;
          for (const [key, bytes] of objectsOf(later)) objects.set(key, bytes);
          growing = live.apply(later);
        },
      }),
    );
    await (growing ?? Promise.reject(new Error('it never grew')));
    expect(report).toMatchObject({ drifted: false, wrongHeads: [] });
    await repair({ source: sourceOf(d), model: live.model, trust: null });
    expect(await live.dump()).toEqual(expectedDump(d.ledger.receipts));
  });

  it('is repaired from wherever it stopped', async () => {
    await using live = await liveDatabase();
    const d = await domainLedger();
    const half = Math.floor(d.ledger.receipts.length / 2);
    await live.apply(d.ledger.receipts.slice(0, half));
    const options = { source: sourceOf(d), model: live.model, trust: d.ledger.trust };
    expect(await repair(options)).toMatchObject({
      ledger: { verdict: 'valid' },
      applied: d.ledger.receipts.length - half,
      unmended: [],
    });
    expect(await live.dump()).toEqual(expectedDump(d.ledger.receipts));
    expect(await repair(options)).toMatchObject({ applied: 0, unmended: [] });
  });

  it('has drifted where a head or a row of any stream is not what the receipts say', async () => {
    await using live = await liveDatabase();
    const d = await domainLedger();
    const [collection, code] = [collectionStream(d.collectionId), codeStream(d.codes.used)];
    await live.apply(d.ledger.receipts);
    expect(await driftOf(live, d)).toMatchObject({ heads: [], rows: [], drifted: false });
    for (const change of [
      `UPDATE projection.packs SET status = 'issued', opened_at = NULL WHERE status = 'opened'`,
      `UPDATE projection.drops SET seed = NULL WHERE drop_id = '${d.drops.closed}'`,
      `DELETE FROM projection.codes WHERE code_id = '${d.codes.free}'`,
      `UPDATE projection.trades SET status = 'offered' WHERE trade_id = '${d.swap}'`,
    ])
      await live.pool.query(change);
    const { rows, heads } = await driftOf(live, d);
    expect(heads).toEqual([]);
    expect(rows.map(({ table, kind }) => `${table} ${kind}`).sort()).toEqual([
      'codes missing',
      'drops changed',
      'packs changed',
      'trades changed',
    ]);
    await live.pool.query(`UPDATE projection.collection_ledger_heads SET position = 99`);
    await live.pool.query(`DELETE FROM projection.code_ledger_heads WHERE code_id = $1`, [d.codes.used]);
    const wrong = (await driftOf(live, d)).heads.map(({ stream, kind }) => ({ stream, kind }));
    expect(wrong).toEqual([
      { stream: prefixOf(code), kind: 'behind' },
      { stream: prefixOf(collection), kind: 'ahead' },
    ]);
  });

  it('shows what the streams say, also where one contradicts another: to tell that is for verify', async () => {
    await using live = await liveDatabase();
    const d = await domainLedger();
    const forged: StoredReceipt = await forgedGrant(d, d.a, [{ cardId: 'sky-9' }]);
    const receipts = [...d.ledger.receipts, forged];
    const source = sourceOver(objectsOf(receipts));
    expect(await verifyLedger({ source, trust: null })).toMatchObject({
      verdict: 'invalid',
      faults: [{ code: 'card-unknown', key: keyAt(d.a.book, forged.position) }],
    });
    expect(granted(await rebuild({ source, databaseUrl: live.url, trust: null }))).toMatchObject({ live: 'empty' });
    expect(await live.dump()).toEqual(expectedDump(receipts));
  });
});
