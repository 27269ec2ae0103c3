import { describe, expect, it } from 'vitest';
import { liveDatabase } from '../projection.fixture.ts';
import { mayBeJoined, openFilling } from './filling.ts';

const TERMS = { source: 'fs:/receipts', trust: null };
const SCHEMA = 'projection_next';

describe('a filling', () => {
  it.each([
    ['the same ledger and program', TERMS, true, 'SELECT 1', true],
    ['another ledger', { ...TERMS, source: 'fs:/elsewhere' }, true, 'SELECT 1', false],
    ['somebody who wants it made anew', TERMS, false, 'SELECT 1', false],
    [
      'another program',
      TERMS,
      true,
      `UPDATE ${SCHEMA}_filling.filling SET terms = replace(terms, '"version":', '"version":9')`,
      false,
    ],
    ['anybody, once its rows are gone', TERMS, true, `DROP TABLE ${SCHEMA}.receipts`, false],
    ['anybody, once its units are gone', TERMS, true, `DROP SCHEMA ${SCHEMA}_filling CASCADE`, false],
  ] as const)('that is met by %s is gone on with, or begun anew', async (_, terms, resume, sql, resumed) => {
    await using live = await liveDatabase();
    const begun = await openFilling(live.pool, SCHEMA, TERMS, { resume: true });
    expect(begun).toMatchObject({ resumed: false, indexed: false });
    await live.pool.query(sql);
    expect(await openFilling(live.pool, SCHEMA, terms, { resume })).toMatchObject({ resumed, indexing: begun.indexing });
  });

  it('may be joined until it is indexed, by whoever has the same terms', async () => {
    await using live = await liveDatabase();
    expect(await mayBeJoined(live.pool, SCHEMA, TERMS)).toBe(false);
    await openFilling(live.pool, SCHEMA, TERMS, { resume: true });
    expect(await mayBeJoined(live.pool, SCHEMA, TERMS)).toBe(true);
    expect(await mayBeJoined(live.pool, SCHEMA, { ...TERMS, source: 'fs:/elsewhere' })).toBe(false);
    await live.pool.query(`UPDATE ${SCHEMA}_filling.filling SET indexed = true`);
    expect(await mayBeJoined(live.pool, SCHEMA, TERMS)).toBe(false);
  });
});
