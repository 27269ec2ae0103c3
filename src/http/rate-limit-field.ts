import type { Standing } from '../port/limiter.ts';

/** Whole seconds, rounded up: who waits that long has waited enough. */
export const wholeSeconds = (ms: number): number => Math.ceil(ms / 1000);

/**
 * The fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): lists of structured items, an allowance an item, with its
 * quota `q` and window `w`, and what remains `r` until it is whole again in `t` seconds. None for a request that nobody counted.
 */
export const rateLimitFields = (standings: readonly Standing[]): Readonly<Record<string, string>> => {
  if (standings.length === 0) return {};
  const policy = standings.map(({ policy: name, points, windowMs }) => `"${name}";q=${points};w=${wholeSeconds(windowMs)}`);
  const now = standings.map(({ policy: name, remaining, resetMs }) => `"${name}";r=${remaining};t=${wholeSeconds(resetMs)}`);
  return { 'RateLimit-Policy': policy.join(', '), RateLimit: now.join(', ') };
};
