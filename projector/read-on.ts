import { limits } from '../src/limits.ts';
import { keyAt } from '../src/receipt/key-path.ts';
import type { LedgerSource } from './source.ts';
import type { StreamCheck } from './stream-check.ts';

/** The computed keys behind what was checked, up to a position, as long as there are objects under them. */
export async function* keysUpTo(source: LedgerSource, check: StreamCheck, position: number): AsyncIterable<readonly string[]> {
  while (check.next <= position) {
    const from = check.next;
    const length = Math.min(limits.parallelReads, position + 1 - from);
    const keys = Array.from({ length }, (_, i) => keyAt(check.stream, from + i));
    const objects = await source.readMany(keys);
    const end = objects.indexOf(null);
    yield end < 0 ? keys : keys.slice(0, end);
    // The stream ends here, or cannot be believed from here on.
    if (check.next < from + length) return;
  }
}
