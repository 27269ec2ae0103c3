import { describe, expect, it } from 'vitest';
import { cardId } from '../../test/ledger-collection.ts';
import { limits } from '../limits.ts';
import { type BookId, type DropId, type PackId, type Seed, instantOf } from '../receipt/ids.ts';
import { eventIdAt } from '../receipt/key-path.ts';
import { collectionStream } from '../receipt/stream.ts';
import { drawPack } from './collection/draw.ts';
import { type CollectionHistory, emptyCollectionHistory } from './collection/history.ts';
import { packFault } from './pack-citation.ts';

const stream = collectionStream(`col_${'0'.repeat(26)}` as never);
const dropId = `drp_${'0'.repeat(26)}` as DropId;
const bookId = `bk_${'0'.repeat(26)}` as BookId;
const packId = `pck_${'0'.repeat(26)}` as PackId;
const seed = '5'.repeat(64) as Seed;
const pool = ['a', 'b', 'c', 'd'].map(cardId);
const MS = Date.UTC(2026, 0, 1);
const { keyGraceMs } = limits;

const place = (position: number) => ({
  eventId: eventIdAt(stream, position),
  hash: `sha256:${String(position).repeat(64)}` as never,
  at: instantOf(MS + position * 1_000),
});

/** Published at position 0, the drop opened at 1; what comes at 2 and later is the case's. */
const historyWith = (more: (history: CollectionHistory) => void): CollectionHistory => {
  const history = emptyCollectionHistory();
  history.places.push(place(0), place(1), place(2));
  history.pools.push({ from: 0, at: place(0).at, cards: pool });
  history.drops.set(dropId, { opened: 1, packSize: 2, closed: null });
  more(history);
  return history;
};

const packAt = (atMs: number, claimedAtMs: number | null = null, cited = 1) => ({
  bookId,
  at: instantOf(atMs),
  claimedAt: claimedAtMs === null ? null : instantOf(claimedAtMs),
  pack: {
    ...{ packId, dropId, claim: null, pool: { eventId: place(cited).eventId, hash: place(cited).hash } },
    cards: drawPack(pool, { seed, bookId, packId, packSize: 2 }).map((card) => ({ instanceId: 'ins' as never, cardId: card })),
  },
});

const closedAt = (position: number, atMs: number) => (history: CollectionHistory) =>
  void history.drops.set(dropId, { opened: 1, packSize: 2, closed: { position, at: instantOf(atMs), seed } });

const shrunkAt = (atMs: number) => (history: CollectionHistory) =>
  void history.pools.push({ from: 2, at: instantOf(atMs), cards: pool.slice(0, 3) });

describe('a pack and its collection', () => {
  const later = MS + 10 * keyGraceMs;

  it.each([
    ['an open drop', historyWith(() => undefined), packAt(later), null],
    ['a drop that is closed as the pack is on its way', historyWith(closedAt(2, later)), packAt(later + keyGraceMs), null],
    [
      'a drop that was closed a moment more before',
      historyWith(closedAt(2, later)),
      packAt(later + keyGraceMs + 1),
      'pool-stale',
    ],
    ['a drop that was closed when the pool was read', historyWith(closedAt(2, later)), packAt(later, null, 2), 'drop-not-open'],
    ['a pool that changes as the pack is on its way', historyWith(shrunkAt(later)), packAt(later + keyGraceMs), null],
    ['a pool that changed a moment more before', historyWith(shrunkAt(later)), packAt(later + keyGraceMs + 1), 'pool-stale'],
    ['a pool before the drop', historyWith(() => undefined), packAt(later, null, 0), 'drop-not-open'],
    ['a pool that is not there', historyWith(() => undefined), packAt(later, null, 3), 'cited-missing'],
    [
      'a code that is claimed as the drop is closed',
      historyWith(closedAt(2, later)),
      packAt(2 * later, later + keyGraceMs),
      null,
    ],
    [
      'a code that was claimed a moment later',
      historyWith(closedAt(2, later)),
      packAt(2 * later, later + keyGraceMs + 1),
      'claim-too-late',
    ],
    ['a code, got when the drop was closed', historyWith(closedAt(2, later)), packAt(2 * later, later, 2), null],
  ])('of %s', (_, history, issued, code) => {
    expect(packFault(history, issued)?.code ?? null).toBe(code);
  });

  it('has a draw that only the seed decides, once it is known', () => {
    const { pack, ...rest } = packAt(later);
    const reversed = { ...rest, pack: { ...pack, cards: [...pack.cards].reverse() } };
    expect(
      packFault(
        historyWith(() => undefined),
        reversed,
      ),
    ).toBeNull();
    expect(packFault(historyWith(closedAt(2, later)), reversed)?.code).toBe('draw-mismatch');
  });
});
