import type { BatchRefusal } from '../command/batch-commands.ts';
import type { PixbookRefusal } from '../stream/pixbook/decide.ts';
import { type ProblemKind, kind } from './problem-kind.ts';

type PackCode = 'pack-missing' | 'pack-issued' | 'pack-opened';
type CardCode = 'card-missing' | 'card-not-held' | 'card-in-escrow' | 'card-twice';
/** Said of a trade to those whose it is; to others, and for a trade that never was, it is simply not there. */
type TradeCode =
  | Exclude<Extract<PixbookRefusal['code'], `trade-${string}`>, 'trade-missing' | 'trade-not-yours'>
  | 'too-many-trades';
type BatchCode = Extract<BatchRefusal['code'], 'batch-not-finished' | 'codes-shown'>;

/** The codes of what books hold and exchange, and of batches. */
export const cardProblems: { readonly [C in PackCode | CardCode | TradeCode | BatchCode | 'certificate-missing']: ProblemKind } =
  {
    'pack-missing': kind(404, 'No such pack', 'The pixbook has no pack with this id.'),
    'certificate-missing': kind(404, 'Nothing to certify yet', 'A trade has a certificate once it is accepted.'),
    'pack-issued': kind(409, 'The pixbook has this pack', 'A drop has one pack for each pixbook, and a code is worth one.'),
    'pack-opened': kind(409, 'The pack is open', 'It was opened before.'),
    'card-not-held': kind(409, 'The pixbook does not hold this copy', 'detail names the copy: read …/cards again.'),
    'card-in-escrow': kind(409, 'A trade keeps this copy', 'End that trade first, or choose another copy.'),
    'trade-reserved': kind(409, 'You have accepted', 'The acceptance is under way or done: read the trade again.'),
    'trade-accepted': kind(409, 'The trade is accepted', 'What was exchanged stays exchanged.'),
    'trade-declined': kind(409, 'The trade is declined', 'Whoever it was offered to did not want it.'),
    'trade-cancelled': kind(409, 'The trade is cancelled', 'Whoever offered it took it back.'),
    'trade-not-expired': kind(409, 'The offer still stands', 'Its time is not over.'),
    'trade-pending': kind(409, 'Trades are open', 'End the trades of the pixbook before you close it.'),
    'too-many-trades': kind(409, 'Too many open trades', 'End one of them first.'),
    'batch-not-finished': kind(409, 'The batch is not finished', 'Ask for the codes when its status is finished.'),
    'codes-shown': kind(409, 'The codes were shown', 'They are shown once. Revoke them and order others if they are lost.'),
    'trade-expired': kind(410, 'The offer’s time is over', 'Make another one.'),
    'card-missing': kind(422, 'No such card', 'The collection has no card with this id.'),
    'card-twice': kind(422, 'A copy is named twice', 'Name each copy once.'),
    'trade-target-missing': kind(422, 'Nobody to offer to', 'There is no such open pixbook of the same collection.'),
    'trade-with-itself': kind(422, 'A trade takes two', 'A pixbook cannot trade with itself.'),
    'trade-want-mismatch': kind(
      422,
      'Not what the offer wants',
      'Give one copy of each card that the offer names, and no others.',
    ),
    'trade-expiry-invalid': kind(422, 'The offer would end too soon or too late', 'detail says how long an offer may stand.'),
  };
