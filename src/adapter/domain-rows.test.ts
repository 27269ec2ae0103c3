import { beforeAll, describe, expect, it } from 'vitest';
import { applicationOf, granted } from '../../test/ledger-fixture.ts';
import { wholeStory } from '../../test/whole-story.ts';
import type { ProjectedTable } from '../projection/row-change.ts';
import { type Row, type Rows, changeRow, noRows } from '../projection/rows.ts';
import { codeOfRow } from './code-row.ts';
import { catalogueOfRow, collectionOfRows, dropOfRow } from './collection-row.ts';
import { heldCardOfRow, offerOfRow, packOfRow, reservationOfRow } from './pixbook-row.ts';
import { bookRefOfRow } from './projection-row.ts';
import { MalformedRow, type RawRow } from './stored-column.ts';

describe('rows of the domain', () => {
  let rows: Rows;
  beforeAll(async () => {
    rows = noRows();
    const { ledger } = await wholeStory();
    for (const stored of ledger.receipts)
      for (const change of applicationOf(stored).projected.changes) granted(changeRow(rows, change));
  });
  const rowsOf = (table: ProjectedTable, status: string): readonly Row[] => {
    const found = [...rows[table].values()].filter((row) => status === '' || row.status === status);
    if (found.length === 0) throw new RangeError(`the story leaves no ${status} ${table}`);
    return found;
  };

  const offer =
    'trade_id status offer_hash to_account_id to_identity_id to_book_id to_generation give want expires_at end_event_id';
  const reservation = 'trade_id status offer_account_id offer_book_id offer_hash give take';
  const parsers: readonly [ProjectedTable, string, (row: RawRow) => unknown, string][] = [
    ['pixbooks', '', bookRefOfRow, 'account_id book_id identity_id collection_id generation status'],
    ['card_instances', '', heldCardOfRow, 'instance_id card_id trade_id'],
    ['packs', '', packOfRow, 'pack_id status'],
    ['trades', 'offered', offerOfRow, offer],
    ['trades', 'accepted', offerOfRow, `${offer} end_hash`],
    ['trade_reservations', '', reservationOfRow, reservation],
    ['collection_versions', '', catalogueOfRow, 'series cards'],
    ['drops', '', dropOfRow, 'drop_id status pack_size seed_hash seed'],
    ['codes', 'open', codeOfRow, 'status collection_id drop_id'],
    ['codes', 'claimed', codeOfRow, 'account_id identity_id book_id generation claim_event_id claim_hash claimed_at'],
  ];

  it.each(parsers)('of %s %s are parsed, and refused where any column is not what it must be', (table, status, parse, read) => {
    for (const row of rowsOf(table, status)) {
      expect(() => parse(row)).not.toThrow();
      for (const column of read.split(' '))
        for (const nonsense of [undefined, true, -1, '[{"not":"it"}]', '{'])
          expect(() => parse({ ...row, [column]: nonsense }), `${column} ${nonsense}`).toThrow(MalformedRow);
    }
  });

  it('of a collection are refused where a version is missing', () => {
    const [latest] = rowsOf('collection_versions', '').filter(({ version }) => version === 2);
    const publications = rowsOf('collection_versions', '').map(({ event_id }) => event_id);
    const of = { latest: latest ?? {}, retired: rowsOf('retired_series', ''), drops: rowsOf('drops', '') };
    expect(collectionOfRows({ ...of, publications })).toMatchObject({ status: 'published', version: 2, publications });
    expect(() => collectionOfRows({ ...of, publications: publications.slice(1) })).toThrow(MalformedRow);
  });
});
