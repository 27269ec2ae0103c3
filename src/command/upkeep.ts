import type { LedgerQueries } from '../port/ledger-queries.ts';
import type { RedoItem } from '../port/redo-outbox.ts';
import { keyAt } from '../receipt/key-path.ts';
import { readReceipt } from '../receipt/read.ts';
import type { Receipt } from '../receipt/receipt.ts';
import { type Result, err, ok } from '../result.ts';
import { eventOf } from '../stream/event.ts';
import { fromReadModel, fromStore } from './deadline.ts';
import type { CommandOutcome, CommandRefusal, LedgerUpkeep } from './ledger-commands.ts';
import type { PackIssue } from './pack-commands.ts';
import { passingRefusals } from './passing-refusals.ts';
import type { CommandPorts } from './ports.ts';
import type { TradeCompletion } from './trade-completion.ts';

/** Where receipts are, by their event id: what the redo outbox knows them by. */
export type ReceiptPlaces = Pick<LedgerQueries, 'receipt'>;

type Follow = {
  readonly issueCodePack: (issue: PackIssue) => Promise<CommandOutcome>;
  readonly completion: TradeCompletion;
};

type Done = Result<'done' | 'later', CommandRefusal>;

/** What an item of the redo outbox still asks for: the same steps as the command that left it open, under the same keys. */
export const redoOf =
  (ports: CommandPorts, places: ReceiptPlaces, follow: Follow): LedgerUpkeep['redo'] =>
  async (item) => {
    const receipt = await receiptOf(ports, places, item);
    // Not projected (any more): when it is, the item is there still, or again.
    if (receipt === null) return ok('later');
    const event = eventOf(receipt);
    const { stream } = receipt;
    if (event.ok && event.value.type === 'CODE_CLAIMED' && stream.type === 'code') {
      const { accountId, bookId } = event.value.payload;
      const claim = { codeId: stream.codeId, eventId: receipt.eventId, hash: receipt.hash };
      const dropId = await dropOf(ports, receipt);
      return dropId === null ? ok('later') : ended(await follow.issueCodePack({ book: { accountId, bookId }, dropId, claim }));
    }
    if (event.ok && event.value.type === 'CARD_TRADE_RESERVED' && stream.type === 'pixbook') {
      const { accountId, bookId } = stream;
      // Until nothing is reserved any more the item stays: a revoked accepter, for one, waits until the offer ends.
      const { finished } = await follow.completion.complete({ book: { accountId, bookId }, reservation: receipt.eventId });
      return ok(finished ? 'done' : 'later');
    }
    return err({ code: 'not-found', detail: `nothing follows from ${receipt.type}` });
  };

const receiptOf = async (ports: CommandPorts, places: ReceiptPlaces, { eventId }: RedoItem): Promise<Receipt | null> => {
  const place = await fromReadModel(ports, () => places.receipt(eventId));
  if (place === null) return null;
  const key = keyAt(place.stream, place.position);
  const bytes = await fromStore(ports, () => ports.store.read(key));
  const read = bytes === null ? null : readReceipt(bytes, key);
  return read?.ok ? read.value.receipt : null;
};

/** The drop a claimed code is worth a pack of: its first receipt says so. */
const dropOf = async (ports: CommandPorts, { stream }: Receipt): Promise<PackIssue['dropId'] | null> => {
  const key = keyAt(stream, 0);
  const bytes = await fromStore(ports, () => ports.store.read(key));
  const read = bytes === null ? null : readReceipt(bytes, key);
  const event = read?.ok ? eventOf(read.value.receipt) : null;
  return event?.ok && event.value.type === 'CODE_CREATED' ? event.value.payload.dropId : null;
};

const ended = (outcome: CommandOutcome): Done => {
  if (outcome.ok) return ok('done');
  return passingRefusals.has(outcome.error.code) ? ok('later') : outcome;
};
