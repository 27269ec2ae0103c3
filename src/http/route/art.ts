import { hash } from 'node:crypto';
import { z } from 'zod';
import { limits } from '../../limits.ts';
import { withDeadline } from '../../port/clock.ts';
import type { ReceiptStore } from '../../port/receipt-store.ts';
import { type Sha256, type UserId, parseSha256 } from '../../receipt/ids.ts';
import { artKeyOf } from '../../receipt/key-path.ts';
import { freshAnswer, taggedAnswer } from '../answer.ts';
import { type ArtType, artTypeOf, artTypes } from '../art-type.ts';
import { sha256Schema } from '../id-schema.ts';
import { type BytesBody, noBody, noQuery, operation } from '../operation.ts';
import { type Problem, notFound } from '../problem.ts';
import { readAs } from '../success.ts';

const artPath = (artHash: string): string => `/v1/art/${artHash}`;
const hashOf = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes, 'hex')}`;

type Art = { readonly type: ArtType; readonly bytes: Uint8Array };

/** What the store has under the name: nothing, the picture that was sent, or something else. */
const artIn = async (store: Pick<ReceiptStore, 'read'>, artHash: Sha256): Promise<Art | 'missing' | 'corrupt'> => {
  const bytes = await store.read(artKeyOf(artHash));
  if (bytes === null) return 'missing';
  const type = artTypeOf(bytes);
  return type === null || hashOf(bytes) !== artHash ? 'corrupt' : { type, bytes };
};

const storedSchema = z.strictObject({ artHash: sha256Schema }).meta({ id: 'StoredArt' });
const stored = (status: 200 | 201, description: string) => ({
  status,
  description,
  content: { 'application/json': storedSchema },
  fields: ['Location', 'Cache-Control'] as const,
});

export const putArt = operation({
  id: 'putArt',
  tag: 'Collections',
  summary: 'Store the art of a card under its hash',
  description: `At most ${limits.artBytes} bytes, which must hash to the name and be of the type that is declared. Storing the same again changes nothing.`,
  successes: [stored(201, 'It is stored'), stored(200, 'It was there already')],
  problems: ['not-found', 'art-hash-mismatch', 'art-type-mismatch', 'art-corrupt'],
  query: noQuery,
  body: {
    presence: 'required',
    schema: z.custom<BytesBody>(),
    bytes: { mediaTypes: artTypes, maxBytes: limits.artBytes },
  },
  handle: async ({ store, clock }, _userId: UserId, { param, body: { mediaType, bytes } }) => {
    const artHash = parseSha256(param('artHash'));
    if (!artHash.ok) return notFound;
    if (hashOf(bytes) !== artHash.value) return { code: 'art-hash-mismatch', detail: `SHA-256 of the body is ${hashOf(bytes)}` };
    if (artTypeOf(bytes) !== mediaType) return { code: 'art-type-mismatch', detail: `the body does not begin as ${mediaType}` };
    const key = artKeyOf(artHash.value);
    // A crash after this: the art is there and nothing refers to it, or the client sends it again and finds it there.
    const outcome = await withDeadline(clock, 'store', limits.storeTimeoutMs, () => store.create(key, bytes));
    if (outcome === 'busy') return busy;
    if (outcome === 'exists' && (await artIn(store, artHash.value)) === 'corrupt') return corrupt(artHash.value);
    const headers = { Location: artPath(artHash.value) };
    return freshAnswer(outcome === 'created' ? 201 : 200, { artHash: artHash.value }, headers);
  },
});

/** Nobody may run a script that a picture brings: not inside a page, and not when the picture itself is opened. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

export const readArt = operation({
  id: 'readArt',
  tag: 'Collections',
  summary: 'The art of a card',
  description: 'It never changes: its name is the hash of its bytes.',
  successes: readAs(Object.fromEntries(artTypes.map((type) => [type, z.string()])), 'The picture'),
  problems: ['not-found', 'art-corrupt', 'store-unavailable', 'store-refused', 'deadline-exceeded'],
  query: noQuery,
  body: noBody,
  handle: async ({ store }, _nobody: null, { param, headers }) => {
    const artHash = parseSha256(param('artHash'));
    const art = artHash.ok ? await artIn(store, artHash.value) : 'missing';
    if (!artHash.ok || art === 'missing') return notFound;
    if (art === 'corrupt') return corrupt(artHash.value);
    const tagged = {
      tag: artHash.value,
      ifNoneMatch: headers.get('if-none-match'),
      cacheControl: 'public, max-age=31536000, immutable',
    };
    const answer = taggedAnswer(tagged, art.type, () => art.bytes);
    // Pages of other origins show it: it is public, and the same for everyone.
    const fields = { 'Content-Security-Policy': POLICY, 'Cross-Origin-Resource-Policy': 'cross-origin' };
    return { ...answer, headers: { ...answer.headers, ...fields } };
  },
});

const busy: Problem = {
  code: 'store-unavailable',
  detail: 'the store is busy with this very object',
  more: { dependency: 'store' },
};

const corrupt = (artHash: Sha256): Problem => ({
  code: 'art-corrupt',
  detail: `what the store has under ${artHash} is not what was sent`,
});
