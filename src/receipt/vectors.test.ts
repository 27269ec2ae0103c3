import { readFileSync } from 'node:fs';
import { p256 } from '@noble/curves/nist.js';
import { describe, expect, it } from 'vitest';
import { vectorText } from '../../test/receipt/vectors.ts';

type Vector = { key: string; position: number; object: string; signedBytes: string; hash: string };

const file = readFileSync(new URL('vectors.json', import.meta.url), 'utf8');
const vectors = JSON.parse(file) as { fingerprint: string; receipts: Vector[] };

/** RFC 8785 as README.md tells it, written anew for this test: nothing below comes from the code under test. */
const jcs = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${jcs(inner)}`).join(',')}}`;
};

const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  `sha256:${Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex')}`;

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'utf8'));

/** Every key the vector's account streams introduce, by its id. */
const keysById = async (): Promise<Map<string, Uint8Array<ArrayBuffer>>> => {
  const keys = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { object } of vectors.receipts) {
    const { payload } = JSON.parse(object) as { payload: { publicKey?: string; operator?: { publicKey: string } } };
    const text = payload.publicKey ?? payload.operator?.publicKey;
    if (text === undefined) continue;
    const spki = new Uint8Array(Buffer.from(text, 'base64'));
    keys.set(await sha256(spki), spki);
  }
  return keys;
};

describe('the vector file', () => {
  it('is what the code makes today', () => {
    expect(vectorText()).toBe(file);
  });

  it.each(vectors.receipts)('holds $key as the format page says, seen by WebCrypto and noble', async (vector) => {
    const receipt = JSON.parse(vector.object) as Record<string, unknown> & { issuer: { publicKeyId: string }; signature: string };
    const { hash, signature, ...unsigned } = receipt;
    expect(jcs(receipt)).toBe(vector.object);
    expect(jcs(unsigned)).toBe(vector.signedBytes);
    expect(hash).toBe(vector.hash);
    expect(await sha256(utf8(vector.signedBytes))).toBe(vector.hash);

    const spki = (await keysById()).get(receipt.issuer.publicKeyId);
    if (spki === undefined) throw new Error('no key for the issuer');
    const raw = new Uint8Array(Buffer.from(signature.slice('ecdsa-p256:'.length), 'base64'));
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('spki', spki, algorithm, false, ['verify']);
    expect(await crypto.subtle.verify(algorithm, key, raw, utf8(vector.signedBytes))).toBe(true);
    expect(p256.verify(raw, utf8(vector.signedBytes), spki.slice(26), { prehash: true, lowS: true })).toBe(true);
  });

  it('names the fingerprint of genesis', async () => {
    const { payload } = JSON.parse(vectors.receipts[0]?.object ?? '{}') as { payload: { operator: { publicKey: string } } };
    expect(await sha256(new Uint8Array(Buffer.from(payload.operator.publicKey, 'base64')))).toBe(vectors.fingerprint);
  });
});
