import type { Neighbourhood } from './neighbourhood.ts';

/** Something that people do. */
export type Deed = {
  readonly name: string;
  /** How often it is done, against the others. */
  readonly weight: number;
  /** Receipts that it makes at most. */
  readonly atMost: number;
  /** Does it, or answers false where it cannot be done, having written nothing. */
  readonly play: (here: Neighbourhood, until: Until) => Promise<boolean>;
};

/** How far a deed may go. */
export type Until = { readonly receipts: number; readonly ms: number };
