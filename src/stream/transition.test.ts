import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TransitionTable, transitionsOf } from './transition.ts';

type Light = 'red' | 'green' | 'broken';
type Happening = 'switch' | 'hit';

const table: TransitionTable<Light, Happening> = {
  red: { switch: 'green', hit: 'broken' },
  green: { switch: 'red', hit: 'broken' },
  broken: {},
};
const after = transitionsOf(table);
const lights: readonly Light[] = ['red', 'green', 'broken'];
const happenings: readonly Happening[] = ['switch', 'hit'];

describe('a table of transitions', () => {
  it.each([
    ['red', 'switch', 'green'],
    ['red', 'hit', 'broken'],
    ['green', 'switch', 'red'],
    ['green', 'hit', 'broken'],
  ] as const)('leads from %s by %s to %s', (from, happening, to) => {
    expect(after(from, happening)).toBe(to);
  });

  it('leads nowhere by what the status does not list', () => {
    for (const happening of happenings) expect(after('broken', happening)).toBeNull();
  });

  it('never leaves a status that lists nothing, and never reaches one that is not in the table', () => {
    fc.assert(
      fc.property(fc.constantFrom(...lights), fc.array(fc.constantFrom(...happenings)), (first, sequence) => {
        let status = first;
        for (const happening of sequence) {
          const next = after(status, happening);
          expect(next === null).toBe(status === 'broken');
          status = next ?? status;
          expect(lights).toContain(status);
        }
      }),
    );
  });
});
