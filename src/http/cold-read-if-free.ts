import { limits } from '../limits.ts';
import type { ColdReading, ColdReads } from '../snapshot/cold-reads.ts';

/** Reads from the store alone unless `limits.concurrentColdReads` such readings are going on: then null. */
export type ColdReadIfFree = <T>(read: (reading: ColdReading) => Promise<T>) => Promise<T | null>;

/** Each reading may take thousands of objects and signatures: a few at once leave the store and the cores to the commands. */
export const boundedColdReads = (cold: Pick<ColdReads, 'begin'>): ColdReadIfFree => {
  let running = 0;
  return async (read) => {
    if (running >= limits.concurrentColdReads) return null;
    running++;
    try {
      return await read(cold.begin());
    } finally {
      running--;
    }
  };
};
