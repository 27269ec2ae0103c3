import type { InstanceId, Instant, TradeId } from '../receipt/ids.ts';
import type { StreamOf } from '../receipt/stream.ts';
import type { Instance } from '../stream/pixbook/event.ts';
import type { RowChange } from './row-change.ts';

/** Where copies come from: `id` is the pack's, the granting receipt's or the trade's. */
export type Source = { readonly source: 'pack' | 'grant' | 'trade'; readonly id: string };

/** Copies that come to a book. */
export const entering = (
  { accountId: account_id, bookId: book_id }: StreamOf<'pixbook'>,
  cards: readonly Instance[],
  { source, id: source_id }: Source,
  since: Instant,
): readonly RowChange[] =>
  cards.map(({ instanceId: instance_id, cardId: card_id }) => ({
    op: 'insert',
    table: 'card_instances',
    row: { book_id, instance_id, account_id, card_id, trade_id: null, source, source_id, since },
  }));

/** Copies that leave a book. */
export const leaving = ({ bookId: book_id }: StreamOf<'pixbook'>, instanceIds: readonly InstanceId[]): readonly RowChange[] =>
  instanceIds.map((instance_id) => ({ op: 'delete', table: 'card_instances', key: { book_id, instance_id } }));

/** Copies that a trade takes into escrow, or (null) that are free again. */
export const escrow = (
  { bookId: book_id }: StreamOf<'pixbook'>,
  instanceIds: readonly InstanceId[],
  trade_id: TradeId | null,
): readonly RowChange[] =>
  instanceIds.map((instance_id) => ({
    op: 'update',
    table: 'card_instances',
    key: { book_id, instance_id },
    set: { trade_id },
  }));

export const idsOf = (cards: readonly Instance[]): readonly InstanceId[] => cards.map(({ instanceId }) => instanceId);
