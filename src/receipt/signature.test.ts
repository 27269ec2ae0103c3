import { generateKeyPairSync } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedKey } from '../../test/receipt/signed-receipt.ts';
import {
  isLowS,
  parsePublicKey,
  parsePublicKeyText,
  parseSignature,
  rawOfDer,
  signatureText,
  toLowS,
  verifySignature,
  verifySignatureAsync,
} from './signature.ts';

const key = fixedKey(42);
const publicKey = parsePublicKey(key.spki);
if (!publicKey.ok) throw new Error('the fixed key is not P-256');
const sign = (message: Uint8Array, lowS: boolean): Uint8Array => p256.sign(message, key.secret, { prehash: true, lowS });

describe('a signature', () => {
  it('is made low-S without changing what it proves, whoever made it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (message, lowS) => {
        const low = toLowS(sign(message, lowS));
        const text = parseSignature(signatureText(low));
        return (
          isLowS(low) &&
          Buffer.from(low).equals(sign(message, true)) &&
          verifySignature(publicKey.value, message, low) &&
          (await verifySignatureAsync(publicKey.value, message, low)) &&
          text.ok &&
          Buffer.from(text.value).equals(low)
        );
      }),
      { numRuns: 50 },
    );
  });

  it('does not verify over other bytes or with another key', () => {
    const raw = sign(Buffer.from('a'), true);
    const other = parsePublicKey(fixedKey(43).spki);
    expect(verifySignature(publicKey.value, Buffer.from('b'), raw)).toBe(false);
    expect(other.ok && verifySignature(other.value, Buffer.from('a'), raw)).toBe(false);
  });

  it('has 64 bytes', () => {
    expect(() => signatureText(Buffer.alloc(63))).toThrow(RangeError);
  });
});

describe('the DER of a signature', () => {
  it('gives the same 64 bytes as noble reads, whatever zeros r and s begin with', () => {
    const halves = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 32 }), fc.uint8Array({ minLength: 1, maxLength: 32 }));
    fc.assert(
      fc.property(halves, (parts) => {
        const raw = Buffer.concat(parts.map((part) => Buffer.concat([Buffer.alloc(32 - part.length), part])));
        if (parts.some((part) => part.every((byte) => byte === 0))) return true;
        const signature = p256.Signature.fromBytes(raw, 'compact');
        return Buffer.from(rawOfDer(signature.toBytes('der'))).equals(raw);
      }),
    );
  });

  it.each(['', '3000', '30060201010201', '3006020101020101ff', '300702020001020101ff', '0000', '30080202ffffff020101'])(
    'refuses %s',
    (hex) => {
      expect(() => rawOfDer(Buffer.from(hex, 'hex'))).toThrow(RangeError);
    },
  );
});

describe('a public key', () => {
  it('is the SPKI DER of an uncompressed point on P-256, and nothing else', () => {
    expect(parsePublicKeyText(key.publicKey).ok).toBe(true);
    const offCurve = Buffer.from(key.spki);
    offCurve[90] = (offCurve[90] ?? 0) ^ 1;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' });
    const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey.export({ type: 'spki', format: 'der' });
    for (const spki of [Buffer.alloc(0), offCurve, rsa, p384, Buffer.concat([key.spki, Buffer.of(0)])])
      expect(parsePublicKey(spki)).toMatchObject({ ok: false, error: { code: 'public-key-form' } });
    expect(parsePublicKeyText(key.publicKey.replace(/=*$/, '')).ok).toBe(false);
  });
});
