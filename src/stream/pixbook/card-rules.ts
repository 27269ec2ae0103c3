import { grantInstanceIdFor } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { Here } from '../here.ts';
import type { Refusal } from '../refusal.ts';
import type { CardCommand } from './command.ts';
import { type CopyRefusal, freeCopies } from './copies.ts';
import type { PixbookEvent } from './event.ts';
import type { LivePixbook } from './state.ts';
import { refuse } from './verdict.ts';

export type CardRefusal =
  | Refusal<
      'collection-missing' | 'card-missing' // no such card in the catalogue
    >
  | CopyRefusal;

type Decision = Result<PixbookEvent, CardRefusal>;

/** Grants and corrections by an issuer; whose word it is, is not decided here (domain rule 3). */
export const decideCards = (state: LivePixbook, command: CardCommand, here: Here): Decision =>
  command.type === 'add-cards' ? add(command, here) : remove(state, command);

const add = (
  { cardIds, reason, collection }: Extract<CardCommand, { type: 'add-cards' }>,
  { eventId }: Pick<Here, 'eventId'>,
): Decision => {
  if (collection.status === 'absent') return refuse('collection-missing', 'there is no such collection');
  const catalogue = new Set(collection.cards.map(({ cardId }) => cardId));
  const unknown = cardIds.find((cardId) => !catalogue.has(cardId));
  if (unknown !== undefined) return refuse('card-missing', `the collection has no card ${unknown}`);
  const cards = cardIds.map((cardId, index) => ({ instanceId: grantInstanceIdFor(eventId, index), cardId }));
  return ok({ type: 'CARD_ADDED', payload: { cards, reason } });
};

const remove = ({ cards }: LivePixbook, { instanceIds, reason }: Extract<CardCommand, { type: 'remove-cards' }>): Decision => {
  const free = freeCopies(cards, instanceIds);
  return free.ok ? ok({ type: 'CARD_REMOVED', payload: { instanceIds: [...instanceIds], reason } }) : free;
};
