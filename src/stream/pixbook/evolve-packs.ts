import { packInstanceIdFor } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { IllegalEvent } from '../refusal.ts';
import { hasTwice, holdsAny, withCopies } from './copies.ts';
import type { PixbookEventOf } from './event.ts';
import { packAfter, packStatusIn } from './lifecycle.ts';
import { packIdIn } from './pack-rules.ts';
import type { LivePixbook } from './state.ts';
import { illegal } from './verdict.ts';

type Evolved = Result<LivePixbook, IllegalEvent>;
type PackEvent = PixbookEventOf<'PACK_ISSUED' | 'PACK_OPENED'>;

export const evolvePacks = (state: LivePixbook, event: PackEvent): Evolved => {
  const { packId } = event.payload;
  const status = packStatusIn(state, packId);
  if (packAfter(status, event.type) === null)
    return illegal(event, status === 'none' ? 'there is no such pack' : `the pack is ${status}`);
  if (event.type === 'PACK_OPENED') return ok({ ...state, packs: state.packs.set(packId, { status: 'opened' }) });
  const fault = faultOfIssue(state, event);
  if (fault !== null) return illegal(event, fault);
  const cards = withCopies(state.cards, event.payload.cards, null);
  return ok({ ...state, cards, packs: state.packs.set(packId, { status: 'issued' }) });
};

/** What this stream can tell of a pack; whether the cards were drawn as the drop's seed says is for those who see the collection too. */
const faultOfIssue = (state: LivePixbook, { payload }: PixbookEventOf<'PACK_ISSUED'>): string | null => {
  const { packId, dropId, claim, cards } = payload;
  if (packId !== packIdIn(state, dropId, claim)) return 'packId does not follow from the drop and the pixbook, or from the code';
  if (cards.some(({ instanceId, cardId }, slot) => instanceId !== packInstanceIdFor(packId, slot, cardId)))
    return 'an instanceId does not follow from pack, slot and card';
  if (hasTwice(cards.map(({ cardId }) => cardId))) return 'a card is in it twice, though cards are drawn without replacement';
  return holdsAny(state.cards, cards) ? 'the pixbook holds one of its copies' : null;
};
