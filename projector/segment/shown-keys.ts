import { limits } from '../../src/limits.ts';
import { positionInKey } from './event-place.ts';

/** Keys that a listing has shown lately. */
export type ShownKeys = {
  readonly show: (prefix: string, keys: readonly string[]) => void;
  readonly isShown: (prefix: string, position: number, key: string) => boolean;
};

type Page = { readonly keys: readonly string[]; readonly first: number };

/** Remembers the last page of each of the streams that were listed last. */
export const openShownKeys = (): ShownKeys => {
  const pages = new Map<string, Page>();
  return {
    show: (prefix, keys) => {
      pages.delete(prefix);
      pages.set(prefix, { keys, first: positionInKey(prefix, keys[0] ?? '') });
      for (const oldest of pages.keys()) {
        if (pages.size <= limits.segmentShownStreams) return;
        pages.delete(oldest);
      }
    },
    isShown: (prefix, position, key) => {
      const page = pages.get(prefix);
      // Nearly always there is no gap, and nothing to search for.
      return page !== undefined && (page.keys[position - page.first] === key || page.keys.includes(key));
    },
  };
};
