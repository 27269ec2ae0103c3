import { hash } from 'node:crypto';

/** One of `of` equal parts of all streams: `number` counts from 1. */
export type Shard = { readonly number: number; readonly of: number };

/** Parses `2/4`; null for anything else, or more than 999 parts. */
export const parseShard = (text: string): Shard | null => {
  const [, number = 0, of = 0] = (/^(\d{1,3})\/(\d{1,3})$/.exec(text) ?? []).map(Number);
  return number >= 1 && number <= of ? { number, of } : null;
};

/** Whether a stream belongs to a part: SHA-256 of its prefix decides, so that every worker says the same without asking. */
export const isInShard = ({ number, of }: Shard, prefix: string): boolean =>
  of === 1 || Number.parseInt(hash('sha256', prefix, 'hex').slice(0, 8), 16) % of === number - 1;
