import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import { canonicalBytes } from '../../src/receipt/canonical.ts';
import { derivedUlid } from '../../src/receipt/ids.ts';
import { addReceipt, emptyDraft, hasRoomFor, sealDraft } from './segment-draft.ts';
import { encodeIndex, parseIndex } from './segment-index.ts';
import { nameInIndexKey, segmentNameOf } from './segment-key.ts';
import { flipped } from './segments.fixture.ts';
import { receiptsOf, unpackSegment } from './unpacked-segment.ts';

const prefixAt = (n: number): string => `pixpax/accounts/acc_${derivedUlid('test', String(n))}`;
const prefixes = Array.from({ length: 12 }, (_, n) => prefixAt(n)).sort();

type Given = readonly { readonly prefix: string; readonly first: number; readonly receipts: readonly Uint8Array[] }[];

const draftOf = (given: Given) => {
  const draft = emptyDraft();
  for (const { prefix, first, receipts } of given)
    for (const [i, bytes] of receipts.entries()) addReceipt(draft, prefix, first + i, bytes);
  return draft;
};

const streams: fc.Arbitrary<Given> = fc.uniqueArray(fc.nat(prefixes.length - 1), { minLength: 1 }).chain((chosen) =>
  fc.tuple(
    ...chosen
      .sort((a, b) => a - b)
      .map((n) =>
        fc.record({
          prefix: fc.constant(prefixes[n] ?? ''),
          first: fc.nat(10_000),
          receipts: fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 20 }),
        }),
      ),
  ),
);

const twoStreams: Given = [
  { prefix: prefixes[0] ?? '', first: 0, receipts: [Buffer.from('first'), Buffer.from('second')] },
  { prefix: prefixes[1] ?? '', first: 7, receipts: [Buffer.from('third')] },
];

describe('a segment', () => {
  it('gives back every receipt of any streams, byte for byte, with its stream and position', () => {
    fc.assert(
      fc.property(streams, (given) => {
        const { index, data, about } = sealDraft(draftOf(given));
        const parsed = parseIndex(index.bytes);
        if (!parsed.ok) throw new Error(parsed.error.detail);
        expect(parsed.value).toEqual(about);
        const unpacked = unpackSegment(parsed.value, data.bytes);
        if (!unpacked.ok) throw new Error(unpacked.error.detail);
        const back = [...receiptsOf(parsed.value, unpacked.value)].map(({ bytes, ...place }) => ({
          ...place,
          bytes: [...bytes],
        }));
        expect(back).toEqual(
          given.flatMap(({ prefix, first, receipts }) =>
            receipts.map((bytes, i) => ({ prefix, position: first + i, bytes: [...bytes] })),
          ),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('is named by its bytes, and made of the same receipts is the same', () => {
    const [one, other] = [sealDraft(draftOf(twoStreams)), sealDraft(draftOf(twoStreams))];
    expect(one).toEqual(other);
    expect(nameInIndexKey(one.index.key)).toBe(segmentNameOf(one.index.bytes));
    expect(one.data.key).toBe(`segments/data/${segmentNameOf(one.data.bytes)}.zst`);
  });

  it('takes no more than its limits, and at least one receipt', () => {
    const draft = emptyDraft();
    expect(hasRoomFor(draft, limits.segmentBytes + 1)).toBe(true);
    const large = randomBytes(limits.receiptBytes);
    for (let position = 0; hasRoomFor(draft, large.length); position++) addReceipt(draft, prefixes[0] ?? '', position, large);
    expect(draft.rawBytes).toBe(limits.segmentBytes);
    const many = emptyDraft();
    for (let position = 0; hasRoomFor(many, 1); position++) addReceipt(many, prefixes[0] ?? '', position, Buffer.from('x'));
    expect(many.receipts).toBe(limits.segmentReceipts);
  });

  it('refuses receipts out of order, for the bug it is', () => {
    const [first = '', second = ''] = prefixes;
    const begun = () => draftOf([{ prefix: second, first: 3, receipts: [Buffer.from('x')] }]);
    for (const [prefix, position] of [
      [second, 3],
      [second, 5],
      [first, 0],
    ] as const)
      expect(() => addReceipt(begun(), prefix, position, Buffer.from('y'))).toThrow(RangeError);
  });
});

describe('an index', () => {
  const { index, about } = sealDraft(draftOf(twoStreams));
  const [one, two] = about.streams;
  if (one === undefined || two === undefined) throw new Error('two streams');

  it.each<[string, object]>([
    ['a name of data that is none', { ...about, data: 'x' }],
    ['a version of its own', { ...about, version: 2 }],
    ['a member too many', { ...about, more: 1 }],
    ['no streams', { ...about, streams: [] }],
    ['streams that are no list', { ...about, streams: {} }],
    ['streams out of order', { ...about, streams: [two, one] }],
    ['a stream twice', { ...about, streams: [one, one, two] }],
    ['a prefix of no stream', { ...about, streams: [{ ...one, prefix: 'pixpax/accounts/../x' }, two] }],
    ['a run of nothing', { ...about, streams: [{ ...one, lengths: [] }, two] }],
    ['a negative position', { ...about, streams: [{ ...one, first: -1 }, two] }],
    ['a position beyond all', { ...about, streams: [{ ...one, first: Number.MAX_SAFE_INTEGER }, two] }],
    ['a length of nothing', { ...about, streams: [{ ...one, lengths: [0, 11] }, two] }],
    ['a broken length', { ...about, streams: [{ ...one, lengths: [5.5, 5.5] }, two] }],
    ['a length beyond every receipt', { ...about, streams: [{ ...one, lengths: [limits.receiptBytes + 1, 6] }, two] }],
    ['a sum that is not that of its lengths', { ...about, rawBytes: about.rawBytes + 1 }],
    ['another number of receipts', { ...about, receipts: about.receipts + 1 }],
    ['more than anybody unpacks', { ...about, rawBytes: limits.segmentUnpackedBytes + 1 }],
    ['a size that no object has', { ...about, storedBytes: 0 }],
  ])('with %s is none', (_, changed) => {
    const bytes = canonicalBytes({ version: 1, ...changed });
    expect(parseIndex(bytes)).toMatchObject({ ok: false, error: { code: 'malformed-index' } });
  });

  it('is read only as it is written', () => {
    expect(parseIndex(index.bytes)).toMatchObject({ ok: true });
    expect(parseIndex(Buffer.concat([index.bytes, Buffer.from('\n')]))).toMatchObject({ ok: false });
    expect(parseIndex(new Uint8Array(limits.segmentIndexBytes + 1))).toMatchObject({ ok: false });
    expect(parseIndex(new Uint8Array())).toMatchObject({ ok: false });
  });
});

describe('packed receipts', () => {
  const { data, about } = sealDraft(draftOf(twoStreams));
  const refused = { ok: false, error: { code: 'malformed-data' } };

  it('with any byte turned over, cut off or added are none', () => {
    for (let at = 0; at < data.bytes.length; at++)
      expect(unpackSegment(about, flipped(data.bytes, at)), `byte ${at}`).toMatchObject(refused);
    expect(unpackSegment(about, data.bytes.subarray(1))).toMatchObject(refused);
    expect(unpackSegment(about, Buffer.concat([data.bytes, Buffer.from('x')]))).toMatchObject(refused);
  });

  it.each([
    ['more than the index says', Buffer.alloc(limits.segmentUnpackedBytes)],
    ['less than the index says', Buffer.from('x')],
  ])('that unpack to %s are none, whatever their name', (_, raw) => {
    const packed = zstdCompressSync(raw);
    const index = { ...about, data: segmentNameOf(packed), storedBytes: packed.length };
    expect(unpackSegment(index, packed)).toMatchObject(refused);
  });

  it('that are not packed at all are none', () => {
    const packed = Buffer.from('first second third');
    expect(unpackSegment({ ...about, data: segmentNameOf(packed), storedBytes: packed.length }, packed)).toMatchObject(refused);
  });

  it('are told from an index that speaks of others', () => {
    expect(parseIndex(encodeIndex({ ...about, data: '0'.repeat(64) }))).toMatchObject({ ok: true });
    expect(unpackSegment({ ...about, data: '0'.repeat(64) }, data.bytes)).toMatchObject(refused);
  });
});
