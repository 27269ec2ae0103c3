import type { Compilable } from 'kysely';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idempotencyKey, userId } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import type { PixbookViewRequest } from '../../port/read-model.ts';
import { idempotencyDigestOf } from '../../projection/project.ts';
import { pixbookStream } from '../../receipt/stream.ts';
import { askedActor } from './acting.ts';
import { askedSlice } from './book-slice.ts';
import { cardQueries } from './card-queries.ts';
import { type BookSize, madeIds, makeBooks } from './large-book.fixture.ts';
import { packQueries } from './pack-queries.ts';
import { type Plan, runOnce, runPrepared, withinScope } from './plan.fixture.ts';
import { openPool, rowsOf, sqlIn, withClient } from './pool.ts';
import type { Asking } from './query-page.ts';
import { openReadModel } from './read-model.ts';
import type { Scope } from './scope.ts';
import { tradeQueries } from './trade-queries.ts';
import { scopeOfViews } from './views.ts';

/** The small ones trade with the large one alone, so that what is known of all of them is not true of it. */
const SMALL: BookSize = { cards: 20, packs: 10, trades: 0, open: 0 };
const LARGE: BookSize = { cards: 20_000, packs: 5_000, trades: 5_000, open: 50 };
const [SMALL_BOOK, LARGE_BOOK] = [1, 999];

/** Copies, a pack, an offer, a reservation, how many trades are open, and whoever acts: all of a book that a command may ask for at once. */
const requestOf = (n: number): PixbookViewRequest & { readonly concerns: object } => ({
  stream: pixbookStream(madeIds.account(n), madeIds.book(n)),
  idempotencyKey: idempotencyKey('never-used'),
  userId: userId('anna'),
  identityId: null,
  actor: { accountId: madeIds.account(0), identityId: madeIds.identity(0) },
  concerns: {
    instanceIds: [3, 6, 9, 12, 15].map((copy) => madeIds.instance(n * 1_000_000 + copy)),
    packIds: [madeIds.pack(n * 1_000_000 + 7)],
    tradeIds: [madeIds.trade(n * 1_000_000 + 5), madeIds.trade(n * 1_000_000 + 500_005)],
    openTrades: true,
  },
});

const placeOf = (n: number) => ({ accountId: madeIds.account(n), bookId: madeIds.book(n) });

const valuesOf = (request: PixbookViewRequest): readonly (string | Buffer | null)[] => [
  idempotencyDigestOf(request.stream, request.idempotencyKey),
  ...[request.stream.accountId, request.stream.bookId, request.userId, request.identityId],
  ...askedSlice(request.concerns),
  ...askedActor(request),
];

/** Rows of what books hold that were looked at. */
const rowsIn = ({ reads }: Plan): number =>
  reads
    .filter(({ table }) => ['card_instances', 'packs', 'trades', 'trade_reservations'].includes(table))
    .reduce((sum, { rows }) => sum + rows, 0);

/** What both books are asked for costs the same, though one is two hundred times the other: by index, whatever was known when it was planned. */
describe('in a large book', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let projector: pg.Pool;
  beforeAll(async () => {
    database = await freshDatabase();
    // One connection: its plans are those of the empty tables, kept while the tables grow.
    pool = openPool({ url: database.url, connections: 1 });
    const model = openReadModel({ pool });
    await model.pixbookView(requestOf(LARGE_BOOK));
    await Promise.all([model.pixbookView(requestOf(LARGE_BOOK)), model.pixbookView(requestOf(SMALL_BOOK))]);
    projector = openPool({ url: database.url, role: 'projector' });
    await withClient(projector, async (client) => {
      await makeBooks(client, 0, 0, { cards: 0, packs: 0, trades: 0, open: 0 });
      await makeBooks(client, 1, 500, SMALL);
      await makeBooks(client, LARGE_BOOK, LARGE_BOOK, LARGE);
    });
  });
  afterAll(async () => {
    await Promise.all([pool.end(), projector.end()]);
    await database.drop();
  });

  const client = <T>(use: (client: pg.PoolClient) => Promise<T>): Promise<T> => withClient(pool, use);

  /** A list as it is asked for, and what asking took. */
  const planOf = async (list: (asking: Asking) => Promise<unknown>): Promise<Plan> => {
    const plans: Plan[] = [];
    const ask = async <Row>(scope: Scope, query: Compilable<Row>): Promise<readonly Row[]> => {
      const { sql, parameters } = query.compile();
      plans.push(await client((one) => withinScope(one, scope, () => runOnce(one, sql, parameters))));
      return rowsOf(pool, scope, query);
    };
    await list({ db: sqlIn('projection'), ask });
    if (plans.length === 0) throw new RangeError('nothing was asked');
    return { reads: plans.flatMap(({ reads }) => reads), pages: plans.reduce((sum, { pages }) => sum + pages, 0) };
  };
  const planOfView = (name: string, n: number, values: readonly unknown[]): Promise<Plan> =>
    client((one) => withinScope(one, scopeOfViews([requestOf(n)]), () => runPrepared(one, name, values)));

  const middle = (n: number, of: number): number => n * 1_000_000 + Math.floor(of / 2);
  const lists: readonly [string, (n: number, size: BookSize) => Promise<Plan>][] = [
    ['a view of what a command concerns', (n) => planOfView('pixbook_slice_view', n, [0, ...valuesOf(requestOf(n))])],
    [
      'such views together',
      (n) => {
        const columns = [0, ...valuesOf(requestOf(n))].map((value) => [value, value]);
        return planOfView('pixbook_slice_views', n, [[0, 1], ...columns.slice(1)]);
      },
    ],
    [
      'a page of its cards',
      (n, { cards }) =>
        planOf((asking) => cardQueries(asking).cards(placeOf(n), { after: madeIds.instance(middle(n, cards)), limit: 20 })),
    ],
    [
      'a page of its packs',
      (n, { packs }) =>
        planOf((asking) =>
          packQueries(asking).packs({ ...placeOf(n), status: null }, { after: madeIds.pack(middle(n, packs)), limit: 20 }),
        ),
    ],
    [
      'a page of its trades',
      (n, { trades }) =>
        planOf((asking) =>
          tradeQueries(asking).trades(
            { accountIds: [madeIds.account(n)], bookId: madeIds.book(n), status: null },
            { after: madeIds.trade(middle(n, trades)), limit: 20 },
          ),
        ),
    ],
    [
      'a page of its account’s trades',
      (n) =>
        planOf((asking) =>
          tradeQueries(asking).trades(
            { accountIds: [madeIds.account(n)], bookId: null, status: null },
            { after: null, limit: 20 },
          ),
        ),
    ],
    ['a trade', (n) => planOf((asking) => tradeQueries(asking).trade(madeIds.trade(n * 1_000_000 + 500_005)))],
  ];

  it('nor does a view look at what else there is of its account, for whose wall no index is asked', async () => {
    const account = madeIds.account(SMALL_BOOK + 1);
    await projector.query(
      `INSERT INTO projection.pixbooks SELECT 'bk_more_' || n, $1, 'idn_more_' || n, 'col', 1, 'open', NULL, NULL, now(), NULL, NULL
       FROM generate_series(1, 3000) AS n`,
      [account],
    );
    await projector.query(
      `INSERT INTO projection.identities SELECT 'idn_more_' || n, $1, 'active', NULL, '', '', 1, now(), NULL FROM generate_series(1, 3000) AS n`,
      [account],
    );
    const view = [0, ...valuesOf(requestOf(SMALL_BOOK + 1))];
    for (const known of ['nothing', 'everything']) {
      if (known === 'everything') await projector.query('ANALYZE');
      const plans = [
        await planOfView('pixbook_slice_view', SMALL_BOOK + 1, view),
        await planOfView('pixbook_slice_views', SMALL_BOOK + 1, [[0, 1], ...view.slice(1).map((value) => [value, value])]),
      ];
      for (const { reads } of plans)
        for (const { table, rows } of reads.filter((read) => ['pixbooks', 'identities', 'accounts'].includes(read.table)))
          expect([table, rows]).toEqual([table, Math.min(rows, 6)]);
    }
  });

  it.each(lists)('%s costs what it costs in a small one', async (_, plan) => {
    for (const known of ['nothing', 'everything']) {
      if (known === 'everything') await projector.query('ANALYZE');
      const [small, large] = [await plan(SMALL_BOOK, SMALL), await plan(LARGE_BOOK, LARGE)];
      // Of what is open there is a bounded number (`limits.openTradesPerBook`), and it may be looked at.
      expect(rowsIn(large)).toBeLessThanOrEqual(rowsIn(small) + 6 * LARGE.open);
      // Indexes grow by a level at most.
      expect(large.pages).toBeLessThan(small.pages * 1.5 + 6 * LARGE.open);
      for (const { how } of [...small.reads, ...large.reads]) expect(how).toMatch(/^Index (Only )?Scan \w+$/);
    }
  });
});
