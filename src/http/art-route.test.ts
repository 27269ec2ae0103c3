import { hash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { artTypeOf } from './art-type.ts';
import { ADA, OPERATOR, type World, makeWorld, refusal, said } from './ledger.fixture.ts';

const hashOf = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes, 'hex')}`;
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
const PNG = Buffer.from('\x89PNG\r\n\x1a\nrest', 'latin1');
const JPEG = Buffer.from('\xff\xd8\xff\xe0rest', 'latin1');
const WEBP = Buffer.from('RIFF\x01\x02\x03\x04WEBPrest', 'latin1');

describe('art', () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld();
  });
  const put = (bytes: Uint8Array, type: string, as = OPERATOR as string, name = hashOf(bytes)) =>
    world.ask('PUT', `/v1/art/${name}`, { as, body: bytes, headers: { 'Content-Type': type } });
  const get = (bytes: Uint8Array, headers: Readonly<Record<string, string>> = {}) =>
    world.ask('GET', `/v1/art/${hashOf(bytes)}`, { as: null, headers });

  it.each([
    ['image/svg+xml', SVG],
    ['image/svg+xml', Buffer.from('<?xml version="1.0"?><svg/>')],
    ['image/png', PNG],
    ['image/jpeg', JPEG],
    ['image/webp', WEBP],
  ])('of type %s is kept under its hash and answered to anyone, byte for byte', async (type, bytes) => {
    const stored = await put(bytes, type);
    expect([stored.status, stored.headers.get('location')]).toEqual([201, `/v1/art/${hashOf(bytes)}`]);
    expect(await said(stored)).toEqual({ artHash: hashOf(bytes) });
    expect((await put(bytes, type)).status).toBe(200);
    const answer = await get(bytes);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('is for ever, and can run nothing that it brings', async () => {
    await put(SVG, 'image/svg+xml');
    const { headers } = await get(SVG);
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(headers.get('etag')).toBe(`"${hashOf(SVG)}"`);
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; style-src 'unsafe-inline'; sandbox");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const again = await get(SVG, { 'If-None-Match': `"${hashOf(SVG)}"` });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it.each([
    ['another name', PNG, 'image/png', hashOf(JPEG), 422, 'art-hash-mismatch'],
    ['another type', PNG, 'image/jpeg', hashOf(PNG), 422, 'art-type-mismatch'],
    ['no picture', Buffer.from('<html>'), 'image/svg+xml', hashOf(Buffer.from('<html>')), 422, 'art-type-mismatch'],
    ['nothing in it', Buffer.alloc(0), 'image/png', hashOf(Buffer.alloc(0)), 422, 'art-type-mismatch'],
    ['a type that is not taken', PNG, 'text/html', hashOf(PNG), 415, 'unsupported-media-type'],
    ['a name that is none', PNG, 'image/png', 'sha256:5e', 404, 'not-found'],
  ])('with %s is refused', async (_what, bytes, type, name, status, code) => {
    const before = world.objects.size;
    expect(await refusal(await put(bytes, type, OPERATOR, name))).toEqual([status, code]);
    expect(world.objects.size).toBe(before);
  });

  it('may be larger than other bodies, up to its own limit, and not compressed', async () => {
    const large = (length: number) => Buffer.concat([PNG, Buffer.alloc(length - PNG.length)]);
    expect((await put(large(limits.artBytes), 'image/png')).status).toBe(201);
    expect(await refusal(await put(large(limits.artBytes + 1), 'image/png'))).toEqual([413, 'body-too-large']);
    const headers = { 'Content-Type': 'image/png', 'Content-Encoding': 'gzip' };
    const compressed = await world.ask('PUT', `/v1/art/${hashOf(PNG)}`, { as: OPERATOR, body: PNG, headers });
    expect(await refusal(compressed)).toEqual([415, 'unsupported-media-type']);
  });

  it('is for issuers to bring', async () => {
    expect(await refusal(await put(PNG, 'image/png', ADA))).toEqual([403, 'forbidden']);
  });

  it('that is not there is not found', async () => {
    expect(await refusal(await get(Buffer.from('never sent')))).toEqual([404, 'not-found']);
    expect(await refusal(await world.ask('GET', '/v1/art/x', { as: null }))).toEqual([404, 'not-found']);
  });

  it('that the store has changed is never shown, nor taken for stored', async () => {
    const bytes = Buffer.concat([PNG, Buffer.from('damaged')]);
    await put(bytes, 'image/png');
    world.objects.set(`art/sha256/${hashOf(bytes).slice('sha256:'.length)}`, PNG);
    expect(await refusal(await get(bytes))).toEqual([500, 'art-corrupt']);
    expect(await refusal(await put(bytes, 'image/png'))).toEqual([500, 'art-corrupt']);
  });

  it('that the store is busy with is asked for again later', async () => {
    const busy = await makeWorld(({ store }) => ({ store: { ...store, create: () => Promise.resolve('busy') } }));
    const answer = await busy.ask('PUT', `/v1/art/${hashOf(PNG)}`, {
      ...{ as: OPERATOR, body: PNG, headers: { 'Content-Type': 'image/png' } },
    });
    expect(await refusal(answer)).toEqual([503, 'store-unavailable']);
  });
});

describe('the type of art', () => {
  it.each(['', 'RIFF', 'GIF89a', ' <svg', 'webp', '\x89PNG'])('of %j is none that we take', (bytes) => {
    expect(artTypeOf(Buffer.from(bytes, 'latin1'))).toBeNull();
  });
});
