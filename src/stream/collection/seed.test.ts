import { describe, expect, it } from 'vitest';
import { newSeed, seedHashOf } from './seed.ts';

const counting = newSeed(Uint8Array.from({ length: 32 }, (_, i) => i));

describe('a seed', () => {
  it('is the hex of its 32 bytes', () => {
    expect(counting).toBe('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
  });

  it('is committed to by the SHA-256 of the bytes, not of their hex', () => {
    // Made with Python’s hashlib.
    expect(seedHashOf(counting)).toBe('sha256:630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd');
  });

  it.each([0, 31, 33, 64])('is not made of %d bytes, and the error does not tell them', (length) => {
    expect(() => newSeed(new Uint8Array(length).fill(0xab))).toThrow(RangeError);
    expect(() => newSeed(new Uint8Array(length).fill(0xab))).not.toThrow(/abab/);
  });
});
