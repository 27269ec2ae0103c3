import { describe, expect, it } from 'vitest';
import { ledgerOfVectors } from '../../test/receipt/vectors.ts';
import { headOf } from './chain.ts';
import { emptyKeyHistory, learnKeys } from './key-history.ts';
import { verifyGenesis, verifyReceipt } from './verify.ts';

const receipts = ledgerOfVectors();
const genesis = receipts[0];
const target = receipts.find(({ receipt }) => receipt.type === 'PIXBOOK_CLOSED');
const before = receipts.find(({ receipt }) => receipt.eventId === target?.receipt.prevEventId);
if (genesis === undefined || target === undefined || before === undefined) throw new Error('the vectors lack a receipt');

const keys = emptyKeyHistory();
verifyGenesis(genesis.bytes, genesis.key, keys, null);
for (const receipt of receipts.slice(1)) learnKeys(keys, receipt);
const verdict = (bytes: Uint8Array): boolean => verifyReceipt(bytes, target.key, headOf(before), keys).ok;

/** Every way to change one byte: how many of them verify. */
const accepted = (variants: () => Iterable<Uint8Array>): { tried: number; accepted: number } => {
  let tried = 0;
  let passed = 0;
  for (const bytes of variants()) {
    tried++;
    if (verdict(bytes)) passed++;
  }
  return { tried, accepted: passed };
};

const original = Buffer.from(target.bytes);
const size = original.length;

describe('a stored receipt with one byte changed', () => {
  it('is a valid receipt before anything is changed', () => {
    expect(verdict(original)).toBe(true);
  });

  it('never verifies after a substitution, anywhere, by any byte', () => {
    const result = accepted(function* () {
      for (let at = 0; at < size; at++)
        for (let byte = 0; byte < 256; byte++) {
          if (byte === original[at]) continue;
          const altered = Buffer.from(original);
          altered[at] = byte;
          yield altered;
        }
    });
    expect(result).toEqual({ tried: size * 255, accepted: 0 });
  });

  it('never verifies after a deletion, anywhere', () => {
    const result = accepted(function* () {
      for (let at = 0; at < size; at++) yield Buffer.concat([original.subarray(0, at), original.subarray(at + 1)]);
    });
    expect(result).toEqual({ tried: size, accepted: 0 });
  });

  it('never verifies after an insertion, anywhere, of any byte', () => {
    const result = accepted(function* () {
      for (let at = 0; at <= size; at++)
        for (let byte = 0; byte < 256; byte++)
          yield Buffer.concat([original.subarray(0, at), Buffer.of(byte), original.subarray(at)]);
    });
    expect(result).toEqual({ tried: (size + 1) * 256, accepted: 0 });
  });
});
