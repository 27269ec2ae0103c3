import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import type { CardId, DropId, EventId, Instant, ReceiptHash, SeriesId, Sha256 } from '../../receipt/ids.ts';
import type { Place } from '../here.ts';
import type { CollectionCommand } from './command.ts';
import { decideCollection } from './decide.ts';
import { poolOf } from './draw.ts';
import type { Card, CollectionEvent } from './event.ts';
import { evolveCollection } from './evolve.ts';
import { newSeed, seedHashOf } from './seed.ts';
import { type CollectionState, noCollection } from './state.ts';

const artHash = `sha256:${'a'.repeat(64)}` as Sha256;
const seriesOf = (...ids: readonly string[]) => ids.map((id) => ({ seriesId: id as SeriesId, title: `Series ${id}` }));
/** `'sea/crab'` is the card crab of the series sea. */
const cardsOf = (...names: readonly string[]): readonly Card[] =>
  names.map((name) => {
    const [seriesId = '', cardId = ''] = name.split('/');
    return { cardId: cardId as CardId, seriesId: seriesId as SeriesId, title: `Card ${cardId}`, artHash };
  });
type Publish = Extract<CollectionCommand, { type: 'publish' }>;
const publishes = (version: number, series = seriesOf('sea', 'sky'), cards = first): Publish => ({
  type: 'publish',
  version,
  title: 'Animals',
  series,
  cards,
});
const first = cardsOf('sea/crab', 'sea/eel', 'sky/owl');
const retires = (seriesId: string): CollectionCommand => ({ type: 'retire-series', seriesId: seriesId as SeriesId });
const seed = newSeed(new Uint8Array(32).fill(7));
const otherSeed = newSeed(new Uint8Array(32).fill(8));
const drop = (n: number) => `drp_01JZ${String(n).padStart(22, '0')}` as DropId;
const opens = (dropId: DropId, packSize = 2): CollectionCommand => ({
  type: 'open-drop',
  dropId,
  title: 'Week',
  packSize,
  seedHash: seedHashOf(seed),
  sealedSeed: 'sealed',
});
const closes = (dropId: DropId, revealed: typeof seed | '' = seed): CollectionCommand => ({
  type: 'close-drop',
  dropId,
  seed: revealed,
});

/** Each event's id is `e` and its position. */
const placeAt = (position: number): Place => ({
  eventId: `e${position}` as EventId,
  hash: `h${position}` as ReceiptHash,
  at: '2026-01-01T00:00:00.000Z' as Instant,
});
const given = (...commands: readonly CollectionCommand[]) => ({
  when: (command: CollectionCommand) => {
    const decided = decideCollection(after(...commands), command);
    return decided.ok ? decided.value : decided.error.code;
  },
});
const after = (...commands: readonly CollectionCommand[]): CollectionState =>
  commands.reduce<CollectionState>((before, command, position) => {
    const event = decideCollection(before, command);
    if (!event.ok) throw new Error(`${command.type}: ${event.error.code}`);
    const next = evolveCollection(before, event.value, placeAt(position));
    if (!next.ok) throw new Error(next.error.detail);
    return next.value;
  }, noCollection);

describe('a collection', () => {
  it('is published in versions that count one by one from 1', () => {
    const { type: _, ...payload } = publishes(1);
    expect(given().when(publishes(1))).toEqual({ type: 'COLLECTION_PUBLISHED', payload });
    expect(given(publishes(1)).when(publishes(2))).toMatchObject({ payload: { version: 2 } });
    expect(given().when(publishes(2))).toBe('collection-missing');
    expect(given(publishes(1)).when(publishes(3))).toBe('version-skipped');
  });

  it.each([1, 2])('refuses to publish version %d again', (version) => {
    expect(given(publishes(1), publishes(2)).when(publishes(version))).toBe('version-published');
  });

  it('remembers the receipt of each version', () => {
    const state = after(publishes(1), retires('sea'), publishes(2));
    expect(state).toMatchObject({ version: 2, publications: ['e0', 'e2'] });
  });

  it('keeps retired series and drops over versions', () => {
    const state = after(publishes(1), retires('sky'), opens(drop(1)), publishes(2));
    expect(state).toMatchObject({ retired: new Set(['sky']), drops: new Map([[drop(1), { status: 'open' }]]) });
  });

  it.each([retires('sea'), opens(drop(1)), closes(drop(1)), closes(drop(1), '')])('refuses $type before it exists', (command) => {
    expect(given().when(command)).toBe('collection-missing');
  });
});

const badFirsts: readonly (readonly [string, Publish, RegExp])[] = [
  ['a series twice', publishes(1, seriesOf('sea', 'sky', 'sea')), /series sea is named twice/],
  ['a card twice', publishes(1, seriesOf('sea', 'sky'), cardsOf('sea/crab', 'sky/crab')), /card crab is named twice/],
  ['a card of no series', publishes(1, seriesOf('sea')), /card owl is of series sky/],
];
const badSeconds: readonly (readonly [string, Publish, RegExp])[] = [
  ['no card that was there', publishes(2, undefined, cardsOf('sea/crab', 'sky/owl')), /card eel .* left out/],
  [
    'a card in another series',
    publishes(2, undefined, cardsOf('sea/crab', 'sky/eel', 'sky/owl')),
    /eel is moved from .*sea to sky/,
  ],
  [
    'no series that was there',
    publishes(2, seriesOf('sea'), cardsOf('sea/crab', 'sea/eel', 'sea/owl')),
    /series sky .* left out/,
  ],
];

describe('a catalogue', () => {
  it.each([
    ...badFirsts.map(([what, next, detail]) => [what, [], next, detail] as const),
    ...badFirsts.map(([what, next, detail]) => [`${what}, later`, [publishes(1)], { ...next, version: 2 }, detail] as const),
    ...badSeconds.map(([what, next, detail]) => [what, [publishes(1)], next, detail] as const),
  ])('is refused with %s', (_what, past, next, detail) => {
    const decided = decideCollection(after(...past), next);
    expect(decided).toMatchObject({ ok: false, error: { code: 'catalogue-invalid', detail: expect.stringMatching(detail) } });
  });

  it('may name a series that has no cards', () => {
    expect(given().when(publishes(1, seriesOf('sea', 'sky', 'soil')))).toMatchObject({ type: 'COLLECTION_PUBLISHED' });
  });

  it('may grow, be put in another order, and give cards and series other titles and art', () => {
    const next = {
      ...publishes(2, seriesOf('soil', 'sky', 'sea'), cardsOf('soil/mole', 'sky/owl', 'sea/eel', 'sea/crab', 'sea/cod')),
      title: 'Beasts',
    };
    const reworded = next.cards.map((card) => ({ ...card, title: 'X', artHash: `sha256:${'b'.repeat(64)}` as Sha256 }));
    expect(given(publishes(1)).when({ ...next, cards: reworded })).toMatchObject({ type: 'COLLECTION_PUBLISHED' });
  });
});

describe('a series', () => {
  it('is retired once, and its cards leave the pool, those of later versions too (domain rule 7)', () => {
    expect(given(publishes(1)).when(retires('sea'))).toEqual({ type: 'SERIES_RETIRED', payload: { seriesId: 'sea' } });
    expect(given(publishes(1)).when(retires('soil'))).toBe('series-missing');
    expect(given(publishes(1), retires('sea')).when(retires('sea'))).toBe('series-retired');
    expect(given(publishes(1), retires('sea'), publishes(2)).when(retires('sea'))).toBe('series-retired');
    const grown = publishes(2, undefined, [...first, ...cardsOf('sea/cod', 'sky/bat')]);
    expect(poolOf(after(publishes(1), retires('sea'), grown))).toEqual(['bat', 'owl']);
  });
});

describe('a drop', () => {
  it('is opened with the commitment to its seed and the sealed seed (domain rule 6)', () => {
    expect(given(publishes(1)).when(opens(drop(1)))).toEqual({
      type: 'DROP_OPENED',
      payload: { dropId: drop(1), title: 'Week', packSize: 2, seedHash: seedHashOf(seed), sealedSeed: 'sealed' },
    });
    expect(given(publishes(1), opens(drop(1))).when(opens(drop(1)))).toBe('drop-exists');
    expect(given(publishes(1), opens(drop(1)), closes(drop(1))).when(opens(drop(1)))).toBe('drop-exists');
  });

  it('is refused when a pack is larger than the pool (domain rule 7)', () => {
    expect(given(publishes(1)).when(opens(drop(1), 3))).toMatchObject({ type: 'DROP_OPENED' });
    expect(given(publishes(1)).when(opens(drop(1), 4))).toBe('pool-too-small');
    expect(given(publishes(1), retires('sky')).when(opens(drop(1), 3))).toBe('pool-too-small');
    expect(given(publishes(1), retires('sky'), retires('sea')).when(opens(drop(1), 1))).toBe('pool-too-small');
  });

  it('is one of a limited number', () => {
    const full = Array.from({ length: limits.dropsPerCollection }, (_, n) => opens(drop(n)));
    const state = after(publishes(1), ...full);
    expect(decideCollection(state, opens(drop(9_999)))).toMatchObject({ ok: false, error: { code: 'too-many-drops' } });
    expect(decideCollection(state, opens(drop(0)))).toMatchObject({ ok: false, error: { code: 'drop-exists' } });
  });

  it('is closed once, with the seed revealed', () => {
    const past = [publishes(1), opens(drop(1)), opens(drop(2))];
    expect(given(...past).when(closes(drop(1)))).toEqual({ type: 'DROP_CLOSED', payload: { dropId: drop(1), seed } });
    expect(given(...past, closes(drop(1))).when(closes(drop(1)))).toBe('drop-closed');
    expect(given(...past).when(closes(drop(3), ''))).toBe('drop-missing');
    expect(after(...past, closes(drop(1)))).toMatchObject({
      drops: new Map([
        [drop(1), { status: 'closed', packSize: 2, seedHash: seedHashOf(seed), sealedSeed: 'sealed', seed }],
        [drop(2), { status: 'open', seed: null }],
      ]),
    });
  });

  it.each([otherSeed, ''] as const)(
    'is never closed with a seed it was not opened with, and the error does not tell it',
    (wrong) => {
      const close = () => decideCollection(after(publishes(1), opens(drop(1))), closes(drop(1), wrong));
      expect(close).toThrow(/seed of drp_/);
      expect(close).not.toThrow(/0808/);
    },
  );
});

describe('replaying a collection', () => {
  const payloadOf = ({ type: _, ...catalogue }: Publish) => ({
    ...catalogue,
    series: [...catalogue.series],
    cards: [...catalogue.cards],
  });
  const published = (publish: Publish): CollectionEvent => ({ type: 'COLLECTION_PUBLISHED', payload: payloadOf(publish) });
  const retired = (seriesId: string): CollectionEvent => ({
    type: 'SERIES_RETIRED',
    payload: { seriesId: seriesId as SeriesId },
  });
  const opened = (packSize: number): CollectionEvent => ({
    type: 'DROP_OPENED',
    payload: { dropId: drop(1), title: 'Week', packSize, seedHash: seedHashOf(seed), sealedSeed: 'sealed' },
  });
  const closed = (dropId = drop(1), revealed = seed): CollectionEvent => ({
    type: 'DROP_CLOSED',
    payload: { dropId, seed: revealed },
  });

  it.each([
    ['a series retired before the collection', [], retired('sea')],
    ['a drop opened before the collection', [], opened(2)],
    ['a drop closed before the collection', [], closed()],
    ['a first version that is not 1', [], published(publishes(2))],
    ['a version again', [publishes(1)], published(publishes(1))],
    ['a version skipped', [publishes(1)], published(publishes(3))],
    ...badFirsts.map(([what, next]) => [`a first version with ${what}`, [], published(next)] as const),
    ...badSeconds.map(([what, next]) => [`a second version with ${what}`, [publishes(1)], published(next)] as const),
    ['a series retired that is not there', [publishes(1)], retired('soil')],
    ['a series retired again', [publishes(1), retires('sea')], retired('sea')],
    ['a drop opened again', [publishes(1), opens(drop(1))], opened(2)],
    ['a drop of packs larger than the pool', [publishes(1), retires('sea')], opened(2)],
    ['a drop closed that is not there', [publishes(1), opens(drop(1))], closed(drop(2))],
    ['a drop closed again', [publishes(1), opens(drop(1)), closes(drop(1))], closed()],
    ['a drop closed with another seed', [publishes(1), opens(drop(1))], closed(drop(1), otherSeed)],
  ] as readonly (readonly [string, readonly CollectionCommand[], CollectionEvent])[])('finds %s', (_what, past, event) => {
    expect(evolveCollection(after(...past), event, placeAt(9))).toMatchObject({ ok: false, error: { code: 'illegal-event' } });
  });

  it('accepts exactly what decide produces; no card is ever lost, none of a retired series comes back into the pool', () => {
    const catalogue = fc
      .record({
        version: fc.integer({ min: 1, max: 5 }),
        series: fc.subarray(['sea', 'sky', 'soil'], { minLength: 1 }),
        cards: fc.subarray(['sea/crab', 'sea/eel', 'sky/owl', 'soil/mole', 'soil/eel'], { minLength: 1 }),
      })
      .map(({ version, series, cards }) => publishes(version, seriesOf(...series), cardsOf(...cards)));
    const command = fc.oneof(
      catalogue,
      fc.constantFrom(retires('sea'), retires('sky'), opens(drop(1), 1), opens(drop(2), 3), closes(drop(1)), closes(drop(2))),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        let before = noCollection;
        for (const [position, each] of commands.entries()) {
          const decided = decideCollection(before, each);
          if (!decided.ok) continue;
          const next = evolveCollection(before, decided.value, placeAt(position));
          if (!next.ok || next.value.status === 'absent') throw new Error(`${each.type} is decided, and does not follow`);
          const names = new Set(next.value.cards.map(({ cardId }) => cardId));
          if (before.status === 'published') for (const { cardId } of before.cards) expect(names).toContain(cardId);
          expect(next.value.publications).toHaveLength(next.value.version);
          const pool = poolOf(next.value);
          expect(pool).toEqual(pool.toSorted());
          for (const { cardId, seriesId } of next.value.cards)
            expect(pool.includes(cardId)).toBe(!next.value.retired.has(seriesId));
          before = next.value;
        }
      }),
    );
  });
});
