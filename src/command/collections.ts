import { LRUCache } from 'lru-cache';
import { limits } from '../limits.ts';
import type { Head } from '../receipt/chain.ts';
import type { CollectionId, DropId, IdempotencyKey, Seed } from '../receipt/ids.ts';
import { prefixOf } from '../receipt/key-path.ts';
import { collectionStream } from '../receipt/stream.ts';
import { type Result, ok } from '../result.ts';
import { newSeed, seedHashOf } from '../stream/collection/seed.ts';
import { type CollectionState, noCollection } from '../stream/collection/state.ts';
import { fromReadModel, fromSigner } from './deadline.ts';
import type { AppendRefusal } from './ledger-commands.ts';
import type { CommandPorts } from './ports.ts';
import type { StreamMemory } from './stream-memory.ts';
import { touchOne } from './touch.ts';

/** A collection as of a receipt of its stream; `head` is null when there is no such collection. */
export type CollectionSeen = { readonly state: CollectionState; readonly head: Head | null };

/** What packs are drawn from: collections and the seeds of their open drops, kept in memory for a moment each. */
export type Collections = {
  /** Not older than `limits.collectionTrustMs`, and never older than what this process wrote. Throws `Outage`. */
  of(collectionId: CollectionId): Promise<Result<CollectionSeen, AppendRefusal>>;
  /** The seed of a drop: revealed, or unsealed. It never leaves this process before the drop is closed. Throws `Outage`. */
  seedOf(collectionId: CollectionId, dropId: DropId, drop: SealedDrop): Promise<Seed>;
};

type SealedDrop = { readonly seed: Seed | null; readonly sealedSeed: string; readonly seedHash: string };

type Kept = CollectionSeen & { readonly readAtMs: number };

const NO_KEY = '-' as IdempotencyKey;

/** What a drop's seed is sealed for: a sealed text that is moved to another drop does not open. */
export const sealingContext = (collectionId: CollectionId, dropId: DropId): string => `${collectionId}/${dropId}`;

export const openCollections = (parts: CommandPorts & { readonly memory: StreamMemory }): Collections => {
  const kept = new LRUCache<CollectionId, Kept>({ max: limits.rememberedCollections });
  const seeds = new LRUCache<DropId, Seed>({ max: limits.rememberedSeeds });

  return {
    of: async (collectionId) => {
      const stream = collectionStream(collectionId);
      const known = kept.get(collectionId);
      const ageMs = known === undefined ? Number.POSITIVE_INFINITY : parts.clock.now() - known.readAtMs;
      const isFresh = ageMs >= 0 && ageMs < limits.collectionTrustMs;
      if (known !== undefined && isFresh && !parts.memory.isAheadOf(prefixOf(stream), known.head)) return ok(known);
      const readAtMs = parts.clock.now();
      const touched = await touchOne(parts, stream, limits.collectionTrustMs);
      if (!touched.ok) return touched;
      let head = await fromReadModel(parts, () => parts.readModel.head(stream));
      if (head === null && parts.memory.isAheadOf(prefixOf(stream), null)) {
        // The projection was wiped since this process caught the stream up.
        parts.memory.forget(prefixOf(stream));
        const again = await touchOne(parts, stream, limits.collectionTrustMs);
        if (!again.ok) return again;
        head = await fromReadModel(parts, () => parts.readModel.head(stream));
      }
      if (known !== undefined && head !== null && known.head?.hash === head.hash) {
        kept.set(collectionId, { ...known, readAtMs });
        return ok(known);
      }
      const request = { stream, idempotencyKey: NO_KEY, userId: null, identityId: null };
      const view = await fromReadModel(parts, () => parts.readModel.collectionView(request));
      if (view.head === null) return ok({ state: noCollection, head: null });
      const seen = { state: view.state, head: view.head };
      kept.set(collectionId, { ...seen, readAtMs });
      return ok(seen);
    },
    seedOf: async (collectionId, dropId, drop) => {
      const known = drop.seed ?? seeds.get(dropId);
      if (known !== undefined) return known;
      const context = sealingContext(collectionId, dropId);
      const seed = newSeed(await fromSigner(parts, () => parts.sealer.unseal(context, drop.sealedSeed)));
      if (seedHashOf(seed) !== drop.seedHash) throw new Error(`the sealed seed of ${dropId} is not the one it was opened with`);
      seeds.set(dropId, seed);
      return seed;
    },
  };
};
