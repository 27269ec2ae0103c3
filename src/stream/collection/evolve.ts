import type { DropId } from '../../receipt/ids.ts';
import { type Result, err, ok } from '../../result.ts';
import type { Place } from '../here.ts';
import type { IllegalEvent } from '../refusal.ts';
import { transitionsOf } from '../transition.ts';
import { catalogueFault } from './catalogue.ts';
import { poolOf } from './draw.ts';
import type { CollectionEvent } from './event.ts';
import { seedHashOf } from './seed.ts';
import type { CollectionState, Drop } from './state.ts';

const dropStatusAfter = transitionsOf<Drop['status'], 'DROP_CLOSED'>({ open: { DROP_CLOSED: 'closed' }, closed: {} });

/** The state after an event at this place. Errors: `illegal-event` when no state of ours could have led to it. */
export const evolveCollection = (
  state: CollectionState,
  event: CollectionEvent,
  { eventId }: Place,
): Result<CollectionState, IllegalEvent> => {
  if (event.type === 'COLLECTION_PUBLISHED') return published(state, event, eventId);
  if (state.status === 'absent') return illegal(event, 'the collection is absent');
  switch (event.type) {
    case 'SERIES_RETIRED': {
      const { seriesId } = event.payload;
      return state.series.some((series) => series.seriesId === seriesId) && !state.retired.has(seriesId)
        ? ok({ ...state, retired: new Set(state.retired).add(seriesId) })
        : illegal(event, 'the series is not there, or is retired already');
    }
    case 'DROP_OPENED': {
      const { dropId, packSize, seedHash, sealedSeed } = event.payload;
      if (state.drops.has(dropId)) return illegal(event, 'the drop exists');
      return packSize <= poolOf(state).length
        ? ok(withDrop(state, dropId, { status: 'open', packSize, seedHash, sealedSeed, seed: null }))
        : illegal(event, 'a pack would hold more cards than there are to draw from');
    }
    case 'DROP_CLOSED': {
      const { dropId, seed } = event.payload;
      const drop = state.drops.get(dropId);
      const status = drop === undefined ? null : dropStatusAfter(drop.status, event.type);
      if (drop === undefined || status === null) return illegal(event, 'there is no such open drop');
      return seedHashOf(seed) === drop.seedHash
        ? ok(withDrop(state, dropId, { ...drop, status, seed }))
        : illegal(event, 'the seed is not the one that the drop was opened with');
    }
  }
};

type Published = Extract<CollectionState, { status: 'published' }>;

const published = (
  state: CollectionState,
  event: Extract<CollectionEvent, { type: 'COLLECTION_PUBLISHED' }>,
  eventId: Place['eventId'],
): Result<CollectionState, IllegalEvent> => {
  const before = state.status === 'absent' ? null : state;
  if (event.payload.version !== (before?.version ?? 0) + 1) return illegal(event, 'versions count from 1 by one');
  const fault = catalogueFault(before, event.payload);
  if (fault !== null) return illegal(event, fault);
  return ok({
    status: 'published',
    ...event.payload,
    retired: before?.retired ?? new Set(),
    drops: before?.drops ?? new Map(),
    publications: [...(before?.publications ?? []), eventId],
  });
};

const withDrop = (state: Published, dropId: DropId, drop: Drop): Published => ({
  ...state,
  drops: new Map(state.drops).set(dropId, drop),
});

const illegal = (event: CollectionEvent, why: string): Result<never, IllegalEvent> =>
  err({ code: 'illegal-event', detail: `${event.type}: ${why}` });
