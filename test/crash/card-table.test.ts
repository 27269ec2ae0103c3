import { beforeAll, describe, expect, it } from 'vitest';
import { type CardRow, allRows, judgeRow } from './card-rows.ts';
import { cardSubjects } from './card-subjects.ts';

/** One row of so many is tried here, the whole table in the slow suite. A prime: it meets every subject, rival, call and kind of fault. */
const STRIDE = 19;

let rows: readonly CardRow[];
beforeAll(async () => {
  rows = (await allRows()).filter(({ n, rival, method }) => n % STRIDE === 0 || (rival === null && method === 'store.create'));
});

describe('what takes several receipts comes out whole', () => {
  it.each(cardSubjects.map(({ name }) => name))(
    '%s, whatever call fails, in whatever way, whoever comes between',
    async (name) => {
      const mine = rows.filter(({ subject }) => subject.name === name);
      let strikes = 0;
      for (const row of mine) {
        const { complaints, struck } = await judgeRow(row);
        expect(complaints).toEqual([]);
        if (struck) strikes++;
      }
      expect(strikes).toBeGreaterThan(mine.length * 0.5);
    },
  );
});
