import { sql } from 'kysely';
import type { LedgerQueries, PageRequest } from '../../port/ledger-queries.ts';
import type { BookId, InstanceId, Instant } from '../../receipt/ids.ts';
import { cardOf, holdingOf } from './card-resources.ts';
import { type Asking, pageOf } from './query-page.ts';
import { tenants } from './scope.ts';

/** The copies of cards that a book holds or is about to. */
export const cardQueries = ({ db, ask }: Asking): Pick<LedgerQueries, 'cards' | 'holdings'> => ({
  cards: async ({ accountId, bookId }, page) => {
    // A page of either, and of those the first: what an accepted trade brings lies among what is here, in order of its key.
    const both = db
      .with('moving', () => movingTo(db, bookId))
      .selectFrom((from) =>
        from
          .selectFrom(held(db, bookId, page).as('held'))
          .selectAll()
          .unionAll(from.selectFrom(arriving(db, page).as('arriving')).selectAll())
          .as('c'),
      )
      .selectAll();
    return pageOf(await ask(tenants(accountId), both.orderBy('instance_id').limit(page.limit + 1)), page, cardOf);
  },
  holdings: async ({ accountId, bookId }) => {
    const query = db
      .with('moving', () => movingTo(db, bookId))
      .selectFrom('card_instances as c')
      .select(['c.card_id', sql<number>`count(*)`.as('copies'), sql<number>`count(c.trade_id)`.as('in_escrow')])
      .where('c.book_id', '=', bookId)
      .where(sql<boolean>`(c.trade_id IS NULL OR c.trade_id NOT IN (SELECT trade_id FROM moving))`)
      .groupBy('c.card_id')
      .orderBy('c.card_id');
    return (await ask(tenants(accountId), query)).map(holdingOf);
  },
});

type Sql = Asking['db'];

/** What `movingTo` selects. */
type MovingTrade = { readonly trade_id: string; readonly give: string; readonly ended_at: Instant };

/**
 * Trades offered to this book that are accepted and not settled here: what they give is on its way, and what this book gives for it is kept
 * for the other. Found by the reservations that are open, which are few, one by one: as a plain join it could become a look at all trades
 * there ever were.
 */
const movingTo = (db: Sql, bookId: BookId) =>
  db
    .selectFrom('trade_reservations as v')
    .innerJoinLateral(
      (from) =>
        from
          .selectFrom('trades')
          .select(['trade_id', 'give', 'ended_at'])
          .whereRef('trades.trade_id', '=', 'v.trade_id')
          .whereRef('trades.to_book_id', '=', 'v.book_id')
          .where('trades.status', '=', 'accepted')
          .limit(1)
          .as('t'),
      (join) => join.onTrue(),
    )
    .select(['t.trade_id', 't.give', 't.ended_at'])
    .where('v.book_id', '=', bookId)
    // The word of the index's condition: as a parameter it would not be recognised.
    .where('v.status', '=', sql.lit('reserved'));

const held = (db: Sql, bookId: BookId, { after, limit }: PageRequest<InstanceId>) => {
  const query = db
    .selectFrom('card_instances as c')
    .select(['c.instance_id', 'c.card_id', 'c.trade_id', 'c.source', 'c.source_id', 'c.since'])
    .select(
      sql<string>`CASE WHEN c.trade_id IS NULL THEN 'owned'
        WHEN c.trade_id IN (SELECT trade_id FROM moving) THEN 'leaving' ELSE 'escrowed' END`.as('status'),
    )
    .where('c.book_id', '=', bookId);
  return (after === null ? query : query.where('c.instance_id', '>', after)).orderBy('c.instance_id').limit(limit + 1);
};

const arriving = (db: Sql, { after, limit }: PageRequest<InstanceId>) => {
  const instanceId = sql<string>`(g ->> 'instanceId') COLLATE "C"`;
  const query = db
    .selectFrom(sql<MovingTrade>`moving`.as('m'))
    .crossJoin(sql`json_array_elements(m.give)`.as('g'))
    .select([
      instanceId.as('instance_id'),
      sql<string>`g ->> 'cardId'`.as('card_id'),
      sql<string | null>`m.trade_id`.as('trade_id'),
      sql<string>`'trade'`.as('source'),
      'm.trade_id as source_id',
      'm.ended_at as since',
      sql<string>`'arriving'`.as('status'),
    ]);
  return (after === null ? query : query.where(instanceId, '>', after)).orderBy('instance_id').limit(limit + 1);
};
