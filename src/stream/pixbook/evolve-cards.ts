import { grantInstanceIdFor } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { Place } from '../here.ts';
import type { IllegalEvent } from '../refusal.ts';
import { freeCopies, holdsAny, withCopies, withoutCopies } from './copies.ts';
import type { PixbookEventOf } from './event.ts';
import type { LivePixbook } from './state.ts';
import { illegal } from './verdict.ts';

type Evolved = Result<LivePixbook, IllegalEvent>;

export const evolveCards = (
  state: LivePixbook,
  event: PixbookEventOf<'CARD_ADDED' | 'CARD_REMOVED'>,
  { eventId }: Pick<Place, 'eventId'>,
): Evolved => {
  if (event.type === 'CARD_REMOVED') {
    const { instanceIds } = event.payload;
    const free = freeCopies(state.cards, instanceIds);
    return free.ok ? ok({ ...state, cards: withoutCopies(state.cards, instanceIds) }) : illegal(event, free.error.detail);
  }
  const { cards } = event.payload;
  if (cards.some(({ instanceId }, index) => instanceId !== grantInstanceIdFor(eventId, index)))
    return illegal(event, 'an instanceId does not follow from this receipt’s id and the index');
  if (holdsAny(state.cards, cards)) return illegal(event, 'the pixbook holds one of the copies');
  return ok({ ...state, cards: withCopies(state.cards, cards, null) });
};
