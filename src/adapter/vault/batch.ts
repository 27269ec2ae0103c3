import type { Outage } from '../../port/outage.ts';
import type { Result } from '../../result.ts';

type Waiting<Item, Answer> = {
  readonly item: Item;
  readonly fulfil: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
};

/**
 * Collects the items asked for within one turn of the event loop and gives them to `run` together, at most `maxItems` at a time; `run`
 * answers each item, in order, or throws for all of them. Batches do not wait for one another.
 */
export const inBatches = <Item, Answer>(
  maxItems: number,
  run: (items: readonly Item[]) => Promise<readonly Result<Answer, Outage>[]>,
): ((item: Item) => Promise<Answer>) => {
  let waiting: Waiting<Item, Answer>[] = [];

  const flush = (): void => {
    const all = waiting;
    waiting = [];
    for (let start = 0; start < all.length; start += maxItems) void settle(all.slice(start, start + maxItems));
  };

  const settle = async (batch: readonly Waiting<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await run(batch.map(({ item }) => item));
      batch.forEach(({ fulfil, reject }, index) => {
        const answer = answers[index];
        if (answer?.ok) fulfil(answer.value);
        else reject(answer?.error ?? new TypeError('a batch came back with too few answers'));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  return (item) =>
    new Promise((fulfil, reject) => {
      waiting.push({ item, fulfil, reject });
      if (waiting.length === 1) setImmediate(flush);
    });
};
