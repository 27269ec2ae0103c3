import { hash } from 'node:crypto';
import { compareKeys } from '../../port/key-order.ts';
import { Outage } from '../../port/outage.ts';
import type { ListRequest, ReceiptStore } from '../../port/receipt-store.ts';
import { requireDerivedKey, requireDiscardableKey, requireKey, requirePageLimit } from '../object-key.ts';

/**
 * The bucket itself. It outlives the stores opened on it, as a bucket outlives a process, and tests may look into it or tamper.
 */
export type MemoryObjects = Map<string, Uint8Array>;

/**
 * The receipt store in RAM, for tests: the port's contract without its durability. Two stores on one `objects` are two
 * processes.
 */
export const memoryStore = (objects: MemoryObjects = new Map()): ReceiptStore => {
  let closed = false;
  const requireOpen = (): void => {
    if (closed) throw new Outage('store', 'store-unavailable', 'the receipt store in memory was closed');
  };

  const page = ({ prefix, startAfter, limit }: ListRequest): string[] => {
    requirePageLimit(limit);
    requireOpen();
    return [...objects.keys()]
      .filter((key) => key.startsWith(prefix) && (startAfter === undefined || compareKeys(key, startAfter) > 0))
      .sort(compareKeys)
      .slice(0, limit);
  };

  return {
    description: 'memory',
    create: async (key, bytes) => {
      requireKey(key);
      requireOpen();
      if (objects.has(key)) return 'exists';
      objects.set(key, Uint8Array.from(bytes));
      return 'created';
    },
    replaceDerived: async (key, bytes) => {
      requireDerivedKey(key);
      requireOpen();
      objects.set(key, Uint8Array.from(bytes));
    },
    read: async (key) => {
      requireKey(key);
      requireOpen();
      const bytes = objects.get(key);
      return bytes ? Uint8Array.from(bytes) : null;
    },
    exists: async (key) => {
      requireKey(key);
      requireOpen();
      return objects.has(key);
    },
    list: async (request) => page(request),
    survey: async (request) =>
      page(request).map((key) => ({ key, tag: hash('sha256', objects.get(key) ?? new Uint8Array(), 'hex') })),
    discard: async (key) => {
      requireDiscardableKey(key);
      requireOpen();
      objects.delete(key);
    },
    close: async () => {
      closed = true;
    },
  };
};
