import { expect, it } from 'vitest';
import { turnstile } from './turnstile.ts';

it('lets no more than its number in at once, in the order they came, and goes on after failures', async () => {
  const inTurn = turnstile(3);
  const begun: number[] = [];
  let inside = 0;
  let most = 0;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, caller) =>
      inTurn(async () => {
        begun.push(caller);
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
        if (caller % 7 === 0) throw new Error('failed');
        return caller;
      }),
    ),
  );
  expect(most).toBe(3);
  expect(begun).toEqual(Array.from({ length: 50 }, (_, caller) => caller));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(8);
});
