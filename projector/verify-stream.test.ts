import { describe, expect, it } from 'vitest';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { OPERATOR_ACCOUNT_ID } from '../src/receipt/ids.ts';
import { keyAt } from '../src/receipt/key-path.ts';
import { accountStream } from '../src/receipt/stream.ts';
import { objectsOf, setText, smallLedger } from './tampering.fixture.ts';
import { verifyStream } from './verify-stream.ts';

const prepared = async () => {
  const small = await smallLedger();
  const objects = objectsOf(small.ledger.receipts);
  return { small, objects, parts: { store: memoryStore(objects), trust: small.ledger.trust } };
};

describe('verifying one stream', () => {
  it('counts its receipts and shows its head', async () => {
    const { small, parts } = await prepared();
    for (const stream of [small.bookA, small.b, accountStream(OPERATOR_ACCOUNT_ID)]) {
      const receipts = small.ledger.receiptsOf(stream).length;
      expect(await verifyStream(parts, stream)).toEqual({ valid: true, receipts, head: small.ledger.headOf(stream) });
    }
  });

  it('names the first fault, and the last receipt before it', async () => {
    const { small, objects, parts } = await prepared();
    setText(objects, small.bookA, 3, '{}');
    expect(await verifyStream(parts, small.bookA)).toMatchObject({
      valid: false,
      receipts: 3,
      head: { position: 2 },
      fault: { key: keyAt(small.bookA, 3), code: 'members' },
    });
    expect(await verifyStream(parts, small.bookB)).toMatchObject({ valid: true });
  });

  it('counts nothing behind a gap', async () => {
    const { small, objects, parts } = await prepared();
    objects.delete(keyAt(small.bookA, 1));
    expect(await verifyStream(parts, small.bookA)).toMatchObject({
      valid: false,
      receipts: 1,
      fault: { key: keyAt(small.bookA, 1), code: 'missing' },
    });
  });

  it('names a fault in the streams that it rests on', async () => {
    const { small, objects, parts } = await prepared();
    setText(objects, small.b, 0, 'x');
    expect(await verifyStream(parts, small.bookB)).toMatchObject({
      valid: false,
      receipts: 0,
      fault: { key: keyAt(small.b, 0) },
    });
    setText(objects, accountStream(OPERATOR_ACCOUNT_ID), 0, 'x');
    const genesis = keyAt(accountStream(OPERATOR_ACCOUNT_ID), 0);
    expect(await verifyStream(parts, small.bookA)).toMatchObject({ valid: false, receipts: 0, fault: { key: genesis } });
  });

  it('misses a stream of which nothing is left', async () => {
    const { small, objects, parts } = await prepared();
    for (const position of [0, 1, 2]) objects.delete(keyAt(small.bookB, position));
    const fault = { key: keyAt(small.bookB, 0), code: 'missing' };
    expect(await verifyStream(parts, small.bookB)).toMatchObject({ valid: false, receipts: 0, head: null, fault });
  });
});
