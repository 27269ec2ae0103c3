import type { EventId } from '../../src/receipt/ids.ts';
import type { LedgerEvent } from '../../src/stream/event.ts';

/**
 * What must come of a command: `ok`, `outage`, or the code of the refusal. The reckoning has taken it in, but for what only the receipt can
 * tell: the ids of what was made, which `learn` takes from its event.
 */
export type Foretold = { readonly code: string; readonly learn?: (event: LedgerEvent, eventId: EventId) => void };

export const done: Foretold = { code: 'ok' };
export const refused = (code: string): Foretold => ({ code });
