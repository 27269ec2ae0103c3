import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { Health, HttpParts } from './parts.ts';

/** Asks the dependencies at most once per `limits.healthAgeMs`: the question is public, and must not become a load on what it asks about. */
export const sharedHealth = (ask: HttpParts['health'], clock: Clock): HttpParts['health'] => {
  let latest: { readonly at: number; readonly health: Promise<Health> } | null = null;
  return () => {
    const now = clock.now();
    if (latest === null || Math.abs(now - latest.at) >= limits.healthAgeMs) latest = { at: now, health: ask() };
    return latest.health;
  };
};
