import { limits } from '../../limits.ts';
import { type Result, err, ok } from '../../result.ts';
import type { Refusal } from '../refusal.ts';
import { catalogueFault } from './catalogue.ts';
import type { CollectionCommand } from './command.ts';
import { poolOf } from './draw.ts';
import type { CollectionEvent } from './event.ts';
import { seedHashOf } from './seed.ts';
import type { CollectionState } from './state.ts';

export type CollectionRefusal = Refusal<
  | 'collection-missing'
  | 'version-published' // this version exists with other content
  | 'version-skipped' // versions count one by one
  | 'catalogue-invalid' // a card or series twice, a card of no series, a card of the version before left out
  | 'series-missing'
  | 'series-retired'
  | 'drop-exists'
  | 'drop-missing'
  | 'drop-closed'
  | 'too-many-drops'
  | 'pool-too-small' // fewer cards to draw from than a pack holds (domain rule 7)
>;

type Decision = Result<CollectionEvent, CollectionRefusal>;
type CommandOf<T extends CollectionCommand['type']> = Extract<CollectionCommand, { readonly type: T }>;
type Published = Extract<CollectionState, { readonly status: 'published' }>;

/**
 * The event a command leads to, or why not. Pure: chance is in the command. Throws Error when the seed of `close-drop` is not the one that the
 * drop was opened with: what the sealer gave back is wrong, and to reveal it would make every draw of the drop look forged.
 */
export const decideCollection = (state: CollectionState, command: CollectionCommand): Decision => {
  if (command.type === 'publish') return publish(state, command);
  if (state.status === 'absent') return refuse('collection-missing', 'there is no such collection');
  switch (command.type) {
    case 'retire-series':
      return retireSeries(state, command);
    case 'open-drop':
      return openDrop(state, command);
    case 'close-drop':
      return closeDrop(state, command);
  }
};

const publish = (state: CollectionState, { version, title, series, cards }: CommandOf<'publish'>): Decision => {
  const before = state.status === 'absent' ? null : state;
  if (before === null && version !== 1)
    return refuse('collection-missing', 'there is no such collection; its first version is 1');
  const next = (before?.version ?? 0) + 1;
  if (version < next) return refuse('version-published', `version ${version} is published already; the next one is ${next}`);
  if (version > next) return refuse('version-skipped', `the next version is ${next}, not ${version}`);
  const fault = catalogueFault(before, { series, cards });
  if (fault !== null) return refuse('catalogue-invalid', fault);
  // Copies: a command's lists are readonly, an event's are as its schema made them.
  return ok({ type: 'COLLECTION_PUBLISHED', payload: { version, title, series: [...series], cards: [...cards] } });
};

const retireSeries = (state: Published, { seriesId }: CommandOf<'retire-series'>): Decision => {
  if (!state.series.some((series) => series.seriesId === seriesId))
    return refuse('series-missing', 'there is no such series in this collection');
  if (state.retired.has(seriesId)) return refuse('series-retired', 'the series is retired already');
  return ok({ type: 'SERIES_RETIRED', payload: { seriesId } });
};

const openDrop = (state: Published, command: CommandOf<'open-drop'>): Decision => {
  const { dropId, title, packSize, seedHash, sealedSeed } = command;
  if (state.drops.has(dropId)) return refuse('drop-exists', 'the drop exists already');
  if (state.drops.size >= limits.dropsPerCollection)
    return refuse('too-many-drops', `a collection has at most ${limits.dropsPerCollection} drops`);
  const pool = poolOf(state).length;
  if (packSize > pool) return refuse('pool-too-small', `a pack of ${packSize} cannot be drawn from ${pool} cards`);
  return ok({ type: 'DROP_OPENED', payload: { dropId, title, packSize, seedHash, sealedSeed } });
};

const closeDrop = (state: Published, { dropId, seed }: CommandOf<'close-drop'>): Decision => {
  const drop = state.drops.get(dropId);
  if (drop === undefined) return refuse('drop-missing', 'there is no such drop in this collection');
  if (drop.status === 'closed') return refuse('drop-closed', 'the drop is closed already');
  if (seed === '' || seedHashOf(seed) !== drop.seedHash)
    throw new Error(`the unsealed seed of ${dropId} is not the one that it was opened with`);
  return ok({ type: 'DROP_CLOSED', payload: { dropId, seed } });
};

const refuse = (code: CollectionRefusal['code'], detail: string): Result<never, CollectionRefusal> => err({ code, detail });
