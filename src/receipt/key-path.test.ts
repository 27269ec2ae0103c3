import fc from 'fast-check';
import { decodeTime, isValid } from 'ulid';
import { describe, expect, it } from 'vitest';
import { type AccountId, type BookId, type Sha256, parseAccountId, parseInstant } from './ids.ts';
import { MAX_POSITION, artKeyOf, eventIdAt, keyAt, parseKey, parsePrefix, positionOf, prefixOf } from './key-path.ts';
import { accountStream, pixbookStream } from './stream.ts';

const book = pixbookStream('acc_01JZ0000000000000000000000' as AccountId, 'bk_01JZ0000000000000000000001' as BookId);
const positions = fc.integer({ min: 0, max: 2 ** 40 });

describe('the event id', () => {
  it.each([
    [0, '01HF7YAT00ZY2HFVSMAQJQ9NN0'],
    [1, '01HF7YAT01FH46T5AR4C2TZF76'],
    [1000, '01HF7YATZ8HRNA8RS4PNZ9R4M2'],
  ])('at position %i is the published one', (position, eventId) => {
    expect(eventIdAt(book, position)).toBe(eventId);
  });

  it('is a ULID whose time is the position on the logical clock', () => {
    fc.assert(
      fc.property(positions, (position) => {
        const eventId = eventIdAt(book, position);
        return isValid(eventId) && decodeTime(eventId) === 1_700_000_000_000 + position && positionOf(eventId) === position;
      }),
    );
  });

  it('sorts by position', () => {
    fc.assert(fc.property(positions, positions, (a, b) => a === b || eventIdAt(book, a) < eventIdAt(book, b) === a < b));
  });

  it('differs between streams at one position', () => {
    expect(eventIdAt(accountStream(book.accountId), 0)).not.toBe(eventIdAt(book, 0));
  });

  it.each([-1, 0.5, Number.NaN, MAX_POSITION + 1])('does not exist at position %d', (position) => {
    expect(() => eventIdAt(book, position)).toThrow(RangeError);
  });
});

describe('the object key', () => {
  it('is taken apart into the stream and the event id it was made of', () => {
    for (const stream of [book, accountStream(book.accountId)]) {
      expect(parseKey(keyAt(stream, 7))).toEqual({ ok: true, value: { stream, eventId: eventIdAt(stream, 7) } });
      expect(parsePrefix(prefixOf(stream))).toEqual({ ok: true, value: stream });
    }
  });

  it.each([
    'pixpax',
    'pixpax/accounts/acc_operator',
    'pixpax/accounts/acc_operator/events/',
    'pixpax/accounts/acc_operator/events/x.json',
    'pixpax/accounts/acc_operator/events/01HF7YAT00ZY2HFVSMAQJQ9NN0',
    'pixpax/accounts/../events/01HF7YAT00ZY2HFVSMAQJQ9NN0.json',
    'pixpax/accounts/acc_operator/events/01HF7YAT00ZY2HFVSMAQJQ9NN0.json.tmp',
    'pixpax/pixbooks/acc_operator/events/01HF7YAT00ZY2HFVSMAQJQ9NN0.json',
    '/pixpax/accounts/acc_operator/events/01HF7YAT00ZY2HFVSMAQJQ9NN0.json',
    'segments/0',
  ])('is foreign when it is %s', (key) => {
    expect(parseKey(key)).toMatchObject({ ok: false, error: { code: 'foreign-key' } });
  });
});

describe('art', () => {
  it('lies under its hash, outside of the ledger’s streams', () => {
    const key = artKeyOf(`sha256:${'5e'.repeat(32)}` as Sha256);
    expect(key).toBe(`art/sha256/${'5e'.repeat(32)}`);
    expect(parseKey(key).ok).toBe(false);
  });
});

describe('ids', () => {
  it.each([
    'acc_',
    'acc_8ZZZZZZZZZZZZZZZZZZZZZZZZZ',
    'acc_01jz0000000000000000000000',
    'acc_01JZ000000000000000000000',
    'acc_operator ',
    7,
  ])('refuse %s', (text) => {
    expect(parseAccountId(text).ok).toBe(false);
  });

  it('know an instant from something like it', () => {
    expect(parseInstant('2024-02-29T23:59:59.999Z').ok).toBe(true);
    for (const text of ['2023-02-29T00:00:00.000Z', '2023-01-01T24:00:00.000Z', '2023-01-01T00:00:00.000+00:00', '2023-01-01'])
      expect(parseInstant(text).ok).toBe(false);
  });
});
