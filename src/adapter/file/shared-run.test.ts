import { expect, it } from 'vitest';
import { sharedRun } from './shared-run.ts';

const controlled = () => {
  const begun: PromiseWithResolvers<void>[] = [];
  const run = sharedRun(() => {
    const work = Promise.withResolvers<void>();
    begun.push(work);
    return work.promise;
  });
  return { begun, run };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('lets callers that come during a run share the next one, never the one that had begun before them', async () => {
  const { begun, run } = controlled();
  const answered: string[] = [];
  const call = (name: string): Promise<number> => run().then(() => answered.push(name));
  const all = [call('first'), call('second'), call('third')];
  expect(begun).toHaveLength(1);

  begun[0]?.resolve();
  await turn();
  expect([answered, begun.length]).toEqual([['first'], 2]);

  all.push(call('fourth'));
  begun[1]?.resolve();
  await turn();
  expect([answered, begun.length]).toEqual([['first', 'second', 'third'], 3]);

  begun[2]?.resolve();
  await Promise.all(all);
  expect([answered.at(-1), begun.length]).toEqual(['fourth', 3]);
});

it('tells a failure to the callers of that run only', async () => {
  const { begun, run } = controlled();
  const [first, second] = [run(), run()];
  begun[0]?.reject(new Error('disk'));
  await expect(first).rejects.toThrow('disk');
  await turn();
  begun[1]?.resolve();
  await expect(second).resolves.toBeUndefined();
});

it('begins at once when nothing runs', async () => {
  const { begun, run } = controlled();
  for (let round = 0; round < 3; round += 1) {
    const call = run();
    expect(begun).toHaveLength(round + 1);
    begun[round]?.resolve();
    await call;
  }
});
