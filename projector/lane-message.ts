import type { Dependency, OutageCode } from '../src/port/outage.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import type { BatchReport, Judging, KeyDelivery, Unit } from './lane.ts';
import type { SourceAddress, StreamListing } from './source.ts';

/** What a replay does in another thread: nothing but the check, citations included, or filling a projection's schema. */
export type WorkOrder =
  | { readonly kind: 'check'; readonly judging: Judging }
  | { readonly kind: 'load'; readonly databaseUrl: string; readonly schema: string };

/** What a thread is started with. */
export type LaneOrder = { readonly address: SourceAddress; readonly trust: PublicKeyId | null; readonly work: WorkOrder };

export type LaneCall =
  | { readonly call: 'learn'; readonly delivery: KeyDelivery }
  | { readonly call: 'replay'; readonly batch: readonly StreamListing[]; readonly unit: Unit | null }
  | { readonly call: 'finish' };

export type LaneRequest = LaneCall & { readonly id: number };

/** An error as it crosses between threads: an `Outage` stays one. */
export type LaneFailure = { readonly message: string; readonly outage: { dependency: Dependency; code: OutageCode } | null };

export type LaneAnswer = { readonly id: number } & ({ readonly report: BatchReport | null } | { readonly failure: LaneFailure });
