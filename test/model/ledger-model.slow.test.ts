import fc from 'fast-check';
import { describe, it } from 'vitest';
import { steps } from './choose.ts';
import { play } from './play.ts';

/** Other sequences each time: a failure tells the seed and the path that bring it back. */
describe('the ledger, against a naive reckoning of its rules, for long', () => {
  it.each([
    { numRuns: 4_000, maxLength: 60 },
    { numRuns: 1_000, maxLength: 250 },
  ])('gives the same answers and owners in $numRuns runs of up to $maxLength steps', async ({ numRuns, maxLength }) => {
    const property = fc.asyncProperty(steps({ minLength: 1, maxLength }), async (sequence) => {
      await play(sequence);
    });
    await fc.assert(property, { numRuns });
  });
});
