import { expect, it } from 'vitest';
import { takingTurns } from './taking-turns.ts';

it('runs so many at once and no more, in order, and goes on after a failure', async () => {
  const turn = takingTurns(2);
  const started: number[] = [];
  const ends: PromiseWithResolvers<number>[] = [];
  const calls = [0, 1, 2, 3].map((n) =>
    turn(() => {
      started.push(n);
      const end = Promise.withResolvers<number>();
      ends[n] = end;
      return end.promise;
    }),
  );
  const outcomes = Promise.allSettled(calls);
  expect(started).toEqual([0, 1]);
  ends[1]?.reject(new Error('failed'));
  await calls[1]?.catch(() => undefined);
  expect(started).toEqual([0, 1, 2]);
  ends[0]?.resolve(0);
  await calls[0];
  expect(started).toEqual([0, 1, 2, 3]);
  ends[2]?.resolve(2);
  ends[3]?.resolve(3);
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
});
