import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { limits } from '../../limits.ts';

type Facts = Pick<BigIntStats, 'size' | 'ino' | 'mtimeNs' | 'ctimeNs' | 'isFile'>;

/**
 * The tag of a file, as `TaggedKey` has it: its inode, size and change times, of which no program can set `ctime` back. A time stamp is only as fine as
 * the file system's clock, so what changed within `limits.tagRestMs` gets a tag that never comes again: a later write could bear
 * the same time. Null, for a file that is gone, and what is no regular file get such a tag too.
 */
export const tagOf = (facts: Facts | null, nowMs: number): string => {
  if (!facts?.isFile() || nowMs - Number(facts.ctimeNs / NS_PER_MS) <= limits.tagRestMs) return `unrested ${randomUUID()}`;
  return `${facts.ino} ${facts.size} ${facts.mtimeNs} ${facts.ctimeNs}`;
};

const NS_PER_MS = 1_000_000n;
