import { Outage } from '../../src/port/outage.ts';
import type { Found, LedgerSource } from '../source.ts';
import type { VerifiedStream } from './verified-stream.ts';

/** In the order of their prefixes. */
export type Expected = AsyncGenerator<VerifiedStream, void, void>;

/**
 * The ledger together with what a record says of it: each stream that is found comes with its entry, and one of the record that is not found comes
 * all the same, to be looked for by whoever reads it. Both are in order, so that no more than a page and a chunk are held.
 */
export const expectedStreams = (source: LedgerSource, entries: () => Expected, trusted: boolean): LedgerSource => ({
  ...source,
  find: (below) => joined(source, source.find(below, undefined, true), entries(), trusted),
});

async function* joined(
  { description }: LedgerSource,
  found: AsyncIterable<Found>,
  entries: Expected,
  trusted: boolean,
): AsyncIterable<Found> {
  let before = '';
  let entry = await nextOf(entries);
  const expected = (of: VerifiedStream): Found => ({
    stream: { prefix: of.prefix, keys: null, recorded: { entry: of, trusted } },
  });
  for await (const item of found) {
    if ('unexpected' in item) {
      yield item;
      continue;
    }
    const { prefix } = item.stream;
    if (prefix <= before) throw new Outage('store', 'store-refused', `${description} lists streams out of order`);
    before = prefix;
    for (; entry !== null && entry.prefix < prefix; entry = await nextOf(entries)) yield expected(entry);
    if (entry?.prefix !== prefix) yield item;
    else {
      yield { stream: { ...item.stream, recorded: { entry, trusted } } };
      entry = await nextOf(entries);
    }
  }
  for (; entry !== null; entry = await nextOf(entries)) yield expected(entry);
}

const nextOf = async (entries: Expected): Promise<VerifiedStream | null> => {
  const next = await entries.next();
  return next.done === true ? null : next.value;
};
