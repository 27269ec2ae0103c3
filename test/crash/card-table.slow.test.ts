import { beforeAll, describe, expect, it } from 'vitest';
import { type CardRow, allRows, judgeRow } from './card-rows.ts';
import { cardSubjects } from './card-subjects.ts';

let rows: readonly CardRow[];
beforeAll(async () => {
  rows = await allRows();
});

const pairs = cardSubjects.flatMap((subject) => subject.rivals.map((rival) => [subject.name, rival?.name ?? 'nobody'] as const));

describe('the whole crash table of what takes several receipts', () => {
  it.each(pairs)('%s comes out whole against %s, whatever call fails, in whatever way', async (name, against) => {
    const mine = rows.filter(({ subject, rival }) => subject.name === name && (rival?.name ?? 'nobody') === against);
    let strikes = 0;
    for (const row of mine) {
      const { complaints, struck } = await judgeRow(row);
      expect(complaints).toEqual([]);
      if (struck) strikes++;
    }
    expect(strikes).toBeGreaterThan(0);
  });
});
