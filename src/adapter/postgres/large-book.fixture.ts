import type pg from 'pg';
import {
  type AccountId,
  type BookId,
  type IdentityId,
  type InstanceId,
  type PackId,
  type TradeId,
  parseAccountId,
  parseBookId,
  parseIdentityId,
  parseInstanceId,
  parsePackId,
  parseTradeId,
} from '../../receipt/ids.ts';
import type { Result } from '../../result.ts';

/** Of how much a made book is. `trades` are offers, and as many reservations; of each all but the first `open` have ended. */
export type BookSize = { readonly cards: number; readonly packs: number; readonly trades: number; readonly open: number };

const numbered = (prefix: string, n: number): string => `${prefix}_${String(n).padStart(26, '0')}`;
const made = <T>(parse: (text: unknown) => Result<T, unknown>, prefix: string, n: number): T => {
  const id = parse(numbered(prefix, n));
  if (!id.ok) throw new RangeError(`no id ${prefix} ${n}`);
  return id.value;
};

/** Of everything, the one with this number. Of a book's things, numbers begin with a million times the book's. */
export const madeIds = {
  account: (n: number): AccountId => made(parseAccountId, 'acc', n),
  identity: (n: number): IdentityId => made(parseIdentityId, 'idn', n),
  book: (n: number): BookId => made(parseBookId, 'bk', n),
  instance: (n: number): InstanceId => made(parseInstanceId, 'ins', n),
  pack: (n: number): PackId => made(parsePackId, 'pck', n),
  trade: (n: number): TradeId => made(parseTradeId, 'trd', n),
};

const id = (prefix: string, n: string): string => `'${prefix}_' || lpad((${n})::text, 26, '0')`;
const ofBook = { account: id('acc', 'b'), book: id('bk', 'b'), identity: id('idn', 'b') };
const PARTNER = '1 + n % 500';
const ofPartner = { account: id('acc', PARTNER), book: id('bk', PARTNER), identity: id('idn', PARTNER) };
const EVENT = `lpad(n::text, 26, '0')`;
const AT = `'2026-01-01T00:00:00.000Z'::timestamptz`;
const HASH = `'sha256:${'a'.repeat(64)}'`;
const COPIES = `'[{"cardId":"card-1","instanceId":"${numbered('ins', 1)}"}]'::json`;
const TERMS = `${COPIES}, '{"cardIds":[],"instanceIds":[]}'::json`;

/** The rows of one book, n, in each table: as many as the size says, numbered by `n`, of which those numbered by less than `open` are open. */
const rowsOf = ({ cards, packs, trades, open }: BookSize): readonly (readonly [string, number, string])[] => {
  const isOpen = `n % 1000000 < ${open}`;
  const unless = (value: string): string => `CASE WHEN ${isOpen} THEN NULL ELSE ${value} END`;
  const { account, book, identity } = ofBook;
  const offered = `${HASH}, ${AT}, ${AT} + interval '1 day'`;
  return [
    ['accounts', 1, `${account}, 'open', 'free', ${AT}`],
    ['identities', 1, `${identity}, ${account}, 'active', NULL, ${HASH}, '', 1, ${AT}, NULL`],
    ['pixbooks', 1, `${book}, ${account}, ${identity}, ${id('col', '1')}, 1, 'open', NULL, NULL, ${AT}, NULL, NULL`],
    ['pixbook_ledger_heads', 1, `${book}, ${account}, 0, ${EVENT}, ${HASH}, ${AT}`],
    [
      'card_instances',
      cards,
      `${book}, ${id('ins', 'n')}, ${account}, 'card-' || n % 60, CASE WHEN ${isOpen} THEN ${id('trd', 'n')} END, 'pack', 'p', ${AT}`,
    ],
    [
      'packs',
      packs,
      `${book}, ${id('pck', 'n')}, ${account}, ${id('drp', 'n')}, NULL, 'issued', ${COPIES}, ${EVENT}, ${AT}, NULL`,
    ],
    [
      'trades',
      trades,
      `${id('trd', 'n')}, ${account}, ${book}, ${ofPartner.account}, ${ofPartner.identity}, ${ofPartner.book}, 1,
        CASE WHEN ${isOpen} THEN 'offered' ELSE 'cancelled' END, ${TERMS}, NULL, ${offered}, ${unless(AT)}, ${unless(EVENT)}, ${unless(HASH)}`,
    ],
    [
      'trades',
      trades,
      `${id('trd', '500000 + n')}, ${ofPartner.account}, ${ofPartner.book}, ${account}, ${identity}, ${book}, 1,
        'accepted', ${TERMS}, '[]', ${offered}, ${AT}, ${EVENT}, ${HASH}`,
    ],
    [
      'trade_reservations',
      trades,
      `${book}, ${id('trd', '500000 + n')}, ${account}, ${ofPartner.account}, ${ofPartner.book}, ${HASH},
        CASE WHEN ${isOpen} THEN 'reserved' ELSE 'settled' END, '[]', ${COPIES}, ${EVENT}, ${HASH}, ${AT}, NULL`,
    ],
  ];
};

/**
 * Rows of books `first` to `last` as no story could tell them in a reasonable time. They trade with books 1 to 500 by turns; the first of
 * their copies are each kept by the offer of their number.
 */
export const makeBooks = async (client: pg.ClientBase, first: number, last: number, size: BookSize): Promise<void> => {
  for (const [table, count, columns] of rowsOf(size))
    await client.query(
      `INSERT INTO projection.${table} SELECT ${columns} FROM generate_series(${first}, ${last}) AS b,
        LATERAL generate_series(b * 1000000, b * 1000000 + ${count - 1}) AS n`,
    );
};
