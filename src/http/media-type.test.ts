import { describe, expect, it } from 'vitest';
import { chosenMediaType } from './media-type.ts';

const JSON_OR_LINES = ['application/json', 'application/x-ndjson'];

describe('the media type of an answer', () => {
  it.each([
    [null, 'application/json'],
    ['*/*', 'application/json'],
    ['application/x-ndjson', 'application/x-ndjson'],
    ['application/x-ndjson, application/json', 'application/json'],
    ['application/json;q=0.5, application/x-ndjson', 'application/x-ndjson'],
    ['*/*;q=0.1, application/x-ndjson;q=0.2', 'application/x-ndjson'],
    ['application/*, application/json;q=0.1', 'application/x-ndjson'],
    ['APPLICATION/X-NDJSON ; q=1', 'application/x-ndjson'],
    ['text/html', null],
    ['application/json;q=0', null],
    ['*/*, application/json;q=0', 'application/x-ndjson'],
    ['application/json;q=nonsense', null],
    ['', null],
  ])('for Accept: %s is %s', (accept, expected) => {
    expect(chosenMediaType(accept, JSON_OR_LINES)).toBe(expected);
  });
});
