import { type Concerns, noConcerns } from '../../stream/pixbook/concerns.ts';
import { type BookSlice, sliceOfRows } from '../pixbook-row.ts';
import { type RawRow, storedCount } from '../stored-column.ts';
import { rowInJson, rowsInJson } from './json-rows.ts';

/**
 * What the concerns of a request name, in SQL: each part by a key that begins with the book, so that it costs the same however much the
 * book holds, and nothing when it is not asked for. Ids come as one text joined by commas, which none of them holds.
 */
export const sliceInputs = ['instance_ids', 'pack_ids', 'trade_ids', 'open_trades'];

/** The values of `sliceInputs`; NULL asks for nothing. */
export const askedSlice = ({ instanceIds, packIds, tradeIds, openTrades }: Concerns = noConcerns): readonly (string | null)[] => [
  joined(instanceIds),
  joined(packIds),
  joined(tradeIds),
  openTrades ? 'asked' : null,
];

const joined = (ids: readonly string[]): string | null => (ids.length === 0 ? null : ids.join(','));

/** What is asked for by the dozen is told as briefly as its parser allows. */
const CARD = rowInJson('card_instances', 'c', ['instance_id', 'card_id', 'trade_id']);
const PACK = rowInJson('packs', 'k', ['pack_id', 'status']);
const OFFER = rowInJson('trades', 't');
const RESERVATION = rowInJson('trade_reservations', 'v');

/** Whether a column is among the ids of an input. */
const among = (column: string, input: string): string => `${column} = ANY (string_to_array(r.${input}, ','))`;

const part = (name: string, input: string, value: string): string =>
  `CASE WHEN r.${input} IS NOT NULL THEN ${value} END AS ${name}`;

/** `escrowed` are the copies that the trades asked for keep. */
export const sliceSelect = (schema: string): string =>
  [
    part(
      'slice_cards',
      'instance_ids',
      `(SELECT json_agg(${CARD}) FROM ${schema}.card_instances AS c
        WHERE c.book_id = r.book_id AND ${among('c.instance_id', 'instance_ids')})`,
    ),
    part(
      'slice_escrowed',
      'trade_ids',
      `(SELECT json_agg(${CARD}) FROM ${schema}.card_instances AS c
        WHERE c.book_id = r.book_id AND c.trade_id IS NOT NULL AND ${among('c.trade_id', 'trade_ids')})`,
    ),
    part(
      'slice_packs',
      'pack_ids',
      `(SELECT json_agg(${PACK}) FROM ${schema}.packs AS k
        WHERE k.book_id = r.book_id AND ${among('k.pack_id', 'pack_ids')})`,
    ),
    part(
      'slice_offers',
      'trade_ids',
      `(SELECT json_agg(${OFFER}) FROM ${schema}.trades AS t WHERE t.book_id = r.book_id AND ${among('t.trade_id', 'trade_ids')})`,
    ),
    part(
      'slice_reservations',
      'trade_ids',
      `(SELECT json_agg(${RESERVATION}) FROM ${schema}.trade_reservations AS v
        WHERE v.book_id = r.book_id AND ${among('v.trade_id', 'trade_ids')})`,
    ),
    part(
      'slice_open_trades',
      'open_trades',
      `(SELECT count(*) FROM ${schema}.trades AS t WHERE t.book_id = r.book_id AND t.status = 'offered')
        + (SELECT count(*) FROM ${schema}.trade_reservations AS v WHERE v.book_id = r.book_id AND v.status = 'reserved')`,
    ),
  ].join(',\n      ');

/** Throws `MalformedRow`. */
export const sliceOfRow = (row: RawRow): BookSlice =>
  sliceOfRows({
    cards: [...rowsInJson(row.slice_cards), ...rowsInJson(row.slice_escrowed)],
    packs: rowsInJson(row.slice_packs),
    offers: rowsInJson(row.slice_offers),
    reservations: rowsInJson(row.slice_reservations),
    openTrades: row.slice_open_trades === null ? null : storedCount('open trades', row.slice_open_trades),
  });
