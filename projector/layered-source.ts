import type { LedgerSource } from './source.ts';

/** A ledger as it would be with `first` put into `below`: what is found in the first is read, and what it lacks is looked for below. */
export const layeredSource = (first: LedgerSource, below: LedgerSource): LedgerSource => ({
  description: first.description,
  address: null,
  parallelStreams: Math.min(first.parallelStreams, below.parallelStreams),
  find: (place, after, tagged) => first.find(place, after, tagged),
  pages: async function* (listing) {
    let isThere = false;
    for await (const page of first.pages(listing)) {
      isThere ||= page.length > 0;
      yield page;
    }
    // Of a stream that is in the first at all, what is missing in between is asked for by its key.
    if (!isThere) yield* below.pages({ ...listing, keys: null });
  },
  survey: async function* (listing) {
    let isThere = false;
    for await (const page of first.survey(listing)) {
      isThere ||= page.length > 0;
      yield page;
    }
    if (!isThere) yield* below.survey({ prefix: listing.prefix, keys: null });
  },
  readMany: async (keys) => {
    const found = await first.readMany(keys);
    const lacking = keys.filter((_, i) => found[i] === null);
    if (lacking.length === 0) return found;
    const others = await below.readMany(lacking);
    let next = 0;
    return found.map((bytes) => bytes ?? others[next++] ?? null);
  },
  close: () => first.close(),
});
