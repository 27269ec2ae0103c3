import { prefixOf } from '../receipt/key-path.ts';
import { pixbookStream } from '../receipt/stream.ts';
import type { LedgerEvent } from '../stream/event.ts';
import type { Redo } from './row-change.ts';

/**
 * What must follow from a receipt in another stream, whatever becomes of the process that wrote it: the pack of a claimed code, and of a
 * reserved trade its end, which begins in the offerer's book.
 */
export const redoOf = (event: LedgerEvent): readonly Redo[] => {
  switch (event.type) {
    case 'CODE_CLAIMED': {
      const { accountId, bookId } = event.payload;
      return [{ target: prefixOf(pixbookStream(accountId, bookId)), kind: 'issue-code-pack' }];
    }
    case 'CARD_TRADE_RESERVED': {
      const { accountId, bookId } = event.payload.offer;
      return [{ target: prefixOf(pixbookStream(accountId, bookId)), kind: 'complete-trade' }];
    }
    default:
      return [];
  }
};
