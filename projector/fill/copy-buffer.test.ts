import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBareSchema } from '../../src/adapter/postgres/migrate.ts';
import { withClient } from '../../src/adapter/postgres/pool.ts';
import { limits } from '../../src/limits.ts';
import type { Row } from '../../src/projection/rows.ts';
import { type LiveDatabase, liveDatabase } from '../projection.fixture.ts';
import { writeRows } from '../write-rows.ts';
import { copyBuffer } from './copy-buffer.ts';

const book = (book_id: string, state: string | null): Row => ({
  book_id,
  account_id: 'acc',
  identity_id: 'idn',
  collection_id: 'col',
  generation: 1,
  status: 'open',
  created_at: '2026-01-01T00:00:00.001Z',
  state,
  state_event_id: null,
  saved_at: null,
  closed_at: null,
});

const receipt = (event_id: string, bytes: Buffer): Row => ({
  event_id,
  stream: 's',
  account_id: null,
  position: 2 ** 47,
  type: 'T',
  hash: 'h',
  created_at: '2026-01-01T00:00:00.000Z',
  idempotency_digest: Buffer.concat([Buffer.from(event_id), bytes]),
  fingerprint: bytes,
  bytes: 1_100,
});

/** What COPY could take for something else: its own escapes, separators, the end of data, and its word for NULL. */
const nasty = [
  '\\N',
  '\\.',
  '\t',
  '\n',
  '\r',
  '\\',
  '\\\\',
  "'",
  '"',
  '\\x00',
  '\b\f\v',
  '',
  '\u{1f98e} “é”',
  '\u2028',
  'a\\\nb',
];

describe('rows put into tables by the thousand', () => {
  let live: LiveDatabase;
  beforeAll(async () => {
    live = await liveDatabase();
    // As a rebuild fills it: COPY does not go through tenant walls.
    await withClient(live.pool, (client) => createBareSchema(client, 'bare'));
  });
  afterAll(() => live[Symbol.asyncDispose]());

  it.each(['copied', 'written'] as const)('come back byte for byte when %s', async (how) => {
    const rows = nasty.flatMap((text, i) => [
      { table: 'pixbooks' as const, key: `bk${i}`, row: book(`bk${i}`, JSON.stringify({ [text]: text })) },
      { table: 'receipts' as const, key: `ev${i}`, row: receipt(`ev${i}`, Buffer.from([0, 9, 10, 92, 255, i])) },
      {
        table: 'account_members' as const,
        key: '',
        row: { account_id: 'acc', user_id: `${i}${text}`, role: 'owner', since: '2026-01-01T00:00:00.000Z' },
      },
    ]);
    await live.pool.query('TRUNCATE bare.pixbooks, bare.receipts, bare.account_members');
    await withClient(live.pool, async (client) => {
      if (how === 'written') return writeRows(client, 'bare', rows);
      const buffer = copyBuffer();
      for (const { table, row } of rows) buffer.add(table, row);
      await buffer.send(client, 'bare');
      expect(buffer.bytes()).toBe(0);
    });
    for (const table of ['pixbooks', 'receipts', 'account_members'] as const) {
      const found = await live.pool.query<Row>(`SELECT * FROM bare.${table}`);
      const expected = rows.filter((one) => one.table === table).map(({ row }) => row);
      expect(found.rows).toHaveLength(expected.length);
      expect(found.rows).toEqual(expect.arrayContaining(expected));
    }
  });

  it('are sent in pieces however many they are, and a failure is heard of', async () => {
    await live.pool.query('TRUNCATE bare.pixbooks');
    const long = JSON.stringify({ text: 'x'.repeat(limits.copyMessageBytes / 2) });
    const buffer = copyBuffer();
    for (let n = 0; n < 40; n++) buffer.add('pixbooks', book(`bk${n}`, long));
    expect(buffer.bytes()).toBeGreaterThan(40 * (limits.copyMessageBytes / 2));
    await withClient(live.pool, (client) => buffer.send(client, 'bare'));
    const { rows } = await live.pool.query(
      'SELECT DISTINCT state::text = $1 AS whole, count(*) AS n FROM bare.pixbooks GROUP BY 1',
      [long],
    );
    expect(rows).toEqual([{ whole: true, n: 40 }]);
    const again = copyBuffer();
    again.add('pixbooks', book('bk1', null));
    await expect(withClient(live.pool, (client) => again.send(client, 'bare'))).rejects.toThrow('duplicate key');
  });

  it.each([2 ** 53, 0.5, Number.NaN])('refuse a number that no column can hold as it is: %s', (position) => {
    const buffer = copyBuffer();
    expect(() => buffer.add('receipts', { ...receipt('ev', Buffer.alloc(0)), position })).toThrow(RangeError);
  });

  it('are replaced and removed by key', async () => {
    await live.pool.query('TRUNCATE bare.pixbooks, bare.account_members');
    const member = (user_id: string, role: string): Row => ({
      account_id: 'acc',
      user_id,
      role,
      since: '2026-01-01T00:00:00.000Z',
    });
    await withClient(live.pool, async (client) => {
      const put = (user: string, row: Row | null) => ({ table: 'account_members' as const, key: `acc\0${user}`, row });
      await writeRows(client, 'bare', [put('a', member('a', 'owner')), put('b', member('b', 'owner'))]);
      await writeRows(client, 'bare', [put('a', member('a', 'viewer')), put('b', null)]);
    });
    const { rows } = await live.pool.query('SELECT user_id, role FROM bare.account_members');
    expect(rows).toEqual([{ user_id: 'a', role: 'viewer' }]);
  });
});
