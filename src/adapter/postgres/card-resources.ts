import type { Selectable } from 'kysely';
import type { CardResource, Holding, PackResource } from '../../port/ledger-queries.ts';
import type { DB } from '../../projection/tables.generated.ts';
import {
  parseBookId,
  parseCardId,
  parseCodeId,
  parseDropId,
  parseEventId,
  parseInstanceId,
  parseInstant,
  parsePackId,
  parseTradeId,
} from '../../receipt/ids.ts';
import { pixbookPayloads } from '../../stream/pixbook/event.ts';
import {
  type RawRow,
  stored,
  storedCount,
  storedInstant,
  storedJson,
  storedOrNull,
  storedText,
  storedWord,
} from '../stored-column.ts';

/** Rows of what a book holds → resources of the port. All throw `MalformedRow`. */

export const packOf = (row: Selectable<DB['packs']>): PackResource => ({
  packId: stored('packs.pack_id', parsePackId, row.pack_id),
  bookId: stored('packs.book_id', parseBookId, row.book_id),
  dropId: stored('packs.drop_id', parseDropId, row.drop_id),
  codeId: storedOrNull('packs.code_id', parseCodeId, row.code_id),
  status: storedWord('packs.status', ['issued', 'opened'], row.status),
  cards: storedJson('packs.cards', pixbookPayloads.PACK_ISSUED.shape.cards, row.cards),
  eventId: stored('packs.event_id', parseEventId, row.event_id),
  issuedAt: storedInstant('packs.issued_at', row.issued_at),
  openedAt: storedOrNull('packs.opened_at', parseInstant, row.opened_at),
});

/** From columns of `card_instances` and a `status`, as `cardQueries` selects them. */
export const cardOf = (row: RawRow): CardResource => ({
  instanceId: stored('card_instances.instance_id', parseInstanceId, row.instance_id),
  cardId: stored('card_instances.card_id', parseCardId, row.card_id),
  status: storedWord('card status', ['owned', 'escrowed', 'leaving', 'arriving'], row.status),
  tradeId: storedOrNull('card_instances.trade_id', parseTradeId, row.trade_id),
  source: storedWord('card_instances.source', ['pack', 'grant', 'trade'], row.source),
  sourceId: storedText('card_instances.source_id', row.source_id),
  since: storedInstant('card_instances.since', row.since),
});

export const holdingOf = (row: RawRow): Holding => ({
  cardId: stored('card_instances.card_id', parseCardId, row.card_id),
  copies: storedCount('copies', row.copies),
  inEscrow: storedCount('copies in escrow', row.in_escrow),
});
