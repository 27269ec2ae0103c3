import type { Receipt } from '../receipt/receipt.ts';

/** What of a receipt's envelope its rows tell, besides the stream. */
export type Place = Pick<Receipt, 'eventId' | 'hash' | 'createdAt'>;
