import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareKeys } from './key-order.ts';

const sign = (value: number): number => Math.sign(value);

it('is the order of UTF-8 bytes for any well-formed text', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', 'é', '\uffee', '\ue000', '\u{1f0a1}', '\u{10ffff}') });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(sign(compareKeys(a, b))).toBe(sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
  );
});

it('differs from the order of UTF-16 units where that differs from S3', () => {
  expect(compareKeys('\u{1f0a1}', '\uffee')).toBeGreaterThan(0);
  expect('\u{1f0a1}' < '\uffee').toBe(true);
});
