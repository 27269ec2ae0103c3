import { beforeAll, describe, expect, it } from 'vitest';
import { emptyKeyHistory, learnKeys } from '../src/receipt/key-history.ts';
import { keyAt } from '../src/receipt/key-path.ts';
import { readReceipt } from '../src/receipt/read.ts';
import { type Stream, accountStream } from '../src/receipt/stream.ts';
import { type StreamCheck, checkNext, openCheck, skipGap, trustUpTo } from './stream-check.ts';
import { type SmallLedger, resigned, smallLedger } from './tampering.fixture.ts';

describe('a check that takes signatures as verified before', () => {
  let small: SmallLedger;
  beforeAll(async () => {
    small = await smallLedger();
  });

  const begun = (stream: Stream): StreamCheck => {
    const keys = emptyKeyHistory();
    for (const stored of small.ledger.receipts) if (stored.receipt.stream.type === 'account') learnKeys(keys, stored);
    return openCheck(stream, keys);
  };
  const next = (check: StreamCheck, bytes?: Uint8Array) => {
    const key = keyAt(check.stream, check.next);
    return checkNext(
      check,
      key,
      readReceipt(bytes ?? small.ledger.receiptsOf(check.stream)[check.next]?.bytes ?? new Uint8Array(), key),
    );
  };
  /** A receipt of the book with other bytes, by a key that is not its issuer's. */
  const forged = async (position: number, changes: object = {}): Promise<Uint8Array> => {
    const stored = small.ledger.receiptsOf(small.bookA)[position];
    if (stored === undefined) throw new RangeError('there is no such receipt');
    return resigned(stored.receipt, changes, { identityId: small.bert, generation: 1 });
  };

  it('verifies none up to the position, and each one behind it', async () => {
    const check = begun(small.bookA);
    trustUpTo(check, 1);
    expect(next(check).ok).toBe(true);
    expect(next(check, await forged(1)).ok).toBe(true);
    expect(check.signatures).toBe(0);
    expect(next(check, await forged(2))).toMatchObject({ ok: false, error: { code: 'signature-invalid' } });
    expect(next(check).ok).toBe(true);
    expect(check.signatures).toBe(2);
  });

  it('still demands the chain and the state', async () => {
    const check = begun(small.bookA);
    trustUpTo(check, 4);
    expect(next(check).ok).toBe(true);
    const prevHash = small.ledger.receiptsOf(small.bookB)[0]?.receipt.hash ?? null;
    expect(next(check, await forged(1, { prevHash }))).toMatchObject({ ok: false, error: { code: 'prev-mismatch' } });
    const { idempotencyKey } = small.ledger.receiptsOf(small.bookA)[0]?.receipt ?? {};
    expect(next(check, await forged(1, { idempotencyKey }))).toMatchObject({ error: { code: 'idempotency-key-twice' } });
  });

  it('verifies them behind a gap, where no chain leads back', async () => {
    const check = begun(small.bookA);
    trustUpTo(check, 4);
    expect(next(check).ok).toBe(true);
    skipGap(check, 2);
    expect(next(check, await forged(2))).toMatchObject({ ok: false, error: { code: 'signature-invalid' } });
    expect(next(check).ok).toBe(true);
  });

  it('is not for accounts, nor for a check that has begun', () => {
    expect(() => trustUpTo(begun(accountStream(small.a.accountId)), 1)).toThrow(TypeError);
    const check = begun(small.bookA);
    next(check);
    expect(() => trustUpTo(check, 1)).toThrow(TypeError);
  });
});
