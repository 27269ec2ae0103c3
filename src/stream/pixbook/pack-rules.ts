import { type DropId, type PackId, codePackIdFor, dropPackIdFor, packInstanceIdFor } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { Refusal } from '../refusal.ts';
import { bookIdOf } from './book-id.ts';
import type { PackCommand } from './command.ts';
import type { PixbookEvent, PixbookPayload } from './event.ts';
import { packAfter, packStatusIn } from './lifecycle.ts';
import type { LivePixbook } from './state.ts';
import { refuse } from './verdict.ts';

export type PackRefusal = Refusal<
  | 'pack-issued' // the book has its pack of this drop, or of this code
  | 'collection-missing'
  | 'drop-missing'
  | 'drop-closed'
  | 'pool-too-small'
  | 'pack-missing'
  | 'pack-opened'
>;

type Decision = Result<PixbookEvent, PackRefusal>;

export const decidePack = (state: LivePixbook, command: PackCommand): Decision =>
  command.type === 'issue-pack' ? issue(state, command) : open(state, command);

const issue = (
  state: LivePixbook,
  { packId, dropId, claim, collection, pool, cards }: Extract<PackCommand, { type: 'issue-pack' }>,
): Decision => {
  if (packId !== packIdIn(state, dropId, claim)) throw new Error('the pack’s id does not follow from its drop or code');
  if (packAfter(packStatusIn(state, packId), 'PACK_ISSUED') === null)
    return refuse('pack-issued', 'the pixbook has its pack of this drop, or of this code');
  if (collection.status === 'absent') return refuse('collection-missing', 'there is no such collection');
  const drop = collection.drops.get(dropId);
  if (drop === undefined) return refuse('drop-missing', 'the collection has no such drop');
  // A claim that came first holds: closing the drop takes nothing from those who were promised a pack (domain rule 5).
  if (claim === null && drop.status === 'closed')
    return refuse('drop-closed', 'the drop is closed; its packs stay where they are');
  if (pool === null || cards === null)
    return refuse('pool-too-small', `there are fewer than ${drop.packSize} cards to draw from: the others are retired`);
  const copies = cards.map((cardId, slot) => ({ instanceId: packInstanceIdFor(packId, slot, cardId), cardId }));
  return ok({ type: 'PACK_ISSUED', payload: { packId, dropId, pool, claim, cards: copies } });
};

const open = (state: LivePixbook, { packId }: Extract<PackCommand, { type: 'open-pack' }>): Decision => {
  const status = packStatusIn(state, packId);
  if (status === 'none') return refuse('pack-missing', 'the pixbook has no such pack');
  if (packAfter(status, 'PACK_OPENED') === null) return refuse('pack-opened', 'the pack has been opened');
  return ok({ type: 'PACK_OPENED', payload: { packId } });
};

/** The one id the pack of a drop, or of a claimed code, can have in this book (domain rule 5). */
export const packIdIn = (state: LivePixbook, dropId: DropId, claim: PixbookPayload<'PACK_ISSUED'>['claim']): PackId =>
  claim === null ? dropPackIdFor(dropId, bookIdOf(state)) : codePackIdFor(claim.codeId);
