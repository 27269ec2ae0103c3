import { hasTwice, idsOf } from './copies.ts';
import type { Instance, Want } from './event.ts';

/** Whether these copies are just what an offer wants: each copy it names, and one more for each card it names. */
export const isWanted = (want: Want, copies: readonly Instance[]): boolean => {
  if (hasTwice(idsOf(copies)) || copies.length !== want.instanceIds.length + want.cardIds.length) return false;
  const named = new Set(want.instanceIds);
  const others = copies.filter(({ instanceId }) => !named.has(instanceId)).map(({ cardId }) => cardId);
  const cards = [...want.cardIds].sort();
  return others.length === cards.length && others.sort().every((cardId, i) => cardId === cards[i]);
};
