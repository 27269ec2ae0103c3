import { readFileSync } from 'node:fs';
import { p256 } from '@noble/curves/nist.js';
import { describe, expect, it } from 'vitest';
import { storeSource } from '../../projector/store-source.ts';
import { verifyLedger } from '../../projector/verify.ts';
import { vectorText } from '../../test/receipt/vectors.ts';
import { memoryStore } from '../adapter/memory/receipt-store.ts';
import type { PublicKeyId } from './ids.ts';

type Vector = { key: string; position: number; object: string; signedBytes: string; hash: string };
/** Lists are words with a space between. */
type DerivedId = { id: string; of: string };
type DrawVector = {
  seed: string;
  seedHash: string;
  pool: string;
  packSize: number;
  bookId: string;
  packId: string;
  cards: string;
};

const file = readFileSync(new URL('vectors.json', import.meta.url), 'utf8');
const vectors = JSON.parse(file) as {
  fingerprint: string;
  derivedIds: DerivedId[];
  draws: DrawVector[];
  receipts: Vector[];
};

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

/** 128 bits in 26 characters, by way of a number: not as the code under test does it. */
const crockford = (bytes: Uint8Array): string => {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (let i = 0; i < 26; i++, number /= 32n) text = ('0123456789ABCDEFGHJKMNPQRSTVWXYZ'[Number(number % 32n)] ?? '') + text;
  return text;
};

const hmac = async (keyHex: string, message: string): Promise<DataView> => {
  const raw = new Uint8Array(Buffer.from(keyHex, 'hex'));
  const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new DataView(await crypto.subtle.sign('HMAC', key, utf8(message)));
};

/** README.md §8. */
const draw = async ({ seed, pool, packSize, bookId, packId }: DrawVector): Promise<string[]> => {
  const left = pool.split(' ');
  const drawn: string[] = [];
  for (let slot = 0; slot < packSize; slot++) {
    for (let attempt = 0, chosen = false; !chosen; attempt++) {
      const block = await hmac(seed, [bookId, packId, slot, ...(attempt === 0 ? [] : [attempt])].join('\0'));
      for (let word = 0; word < 8 && !chosen; word++) {
        const number = block.getUint32(word * 4);
        if (number >= Math.floor(2 ** 32 / left.length) * left.length) continue;
        drawn.push(...left.splice(number % left.length, 1));
        chosen = true;
      }
    }
  }
  return drawn;
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

  it.each(vectors.derivedIds)('derives $id as the format page says', async ({ id, of }) => {
    const digest = Buffer.from((await sha256(utf8(of.replaceAll(' ', '\0')))).slice('sha256:'.length), 'hex');
    expect(`${id.slice(0, id.indexOf('_') + 1)}${crockford(digest.subarray(0, 16))}`).toBe(id);
  });

  it.each(vectors.draws)('draws $packId as the format page says', async (vector) => {
    expect((await draw(vector)).join(' ')).toBe(vector.cards);
    expect(await sha256(new Uint8Array(Buffer.from(vector.seed, 'hex')))).toBe(vector.seedHash);
    const inBytes = vector.pool.split(' ').sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(vector.pool).toBe(inBytes.join(' '));
  });

  it('is a whole ledger, of which nothing is wrong', async () => {
    const store = memoryStore(new Map(vectors.receipts.map(({ key, object }) => [key, Buffer.from(object, 'utf8')])));
    const report = await verifyLedger({ source: storeSource(store), trust: vectors.fingerprint as PublicKeyId });
    expect(report).toMatchObject({ verdict: 'valid', receipts: vectors.receipts.length, faults: [] });
  });

  it('names the fingerprint of genesis', async () => {
    const { payload } = JSON.parse(vectors.receipts[0]?.object ?? '{}') as { payload: { operator: { publicKey: string } } };
    expect(await sha256(new Uint8Array(Buffer.from(payload.operator.publicKey, 'base64')))).toBe(vectors.fingerprint);
  });
});
