import { type IdempotencyKey, type IdentityId, instantOf } from '../../src/receipt/ids.ts';
import type { JsonObject } from '../../src/receipt/json.ts';
import { eventIdAt } from '../../src/receipt/key-path.ts';
import type { Stream } from '../../src/receipt/stream.ts';
import { type FixedKey, type SignedReceipt, issuerOf, signedReceipt } from './signed-receipt.ts';

export type Signing = readonly [IdentityId, FixedKey];

export type Step = {
  readonly type: string;
  readonly payload: JsonObject;
  readonly by: Signing;
  readonly key: string;
};

/** A chain of receipts in one stream, one second apart. */
export const chain = (stream: Stream, startMs: number, steps: readonly Step[]): readonly SignedReceipt[] => {
  const receipts: SignedReceipt[] = [];
  for (const [position, { type, payload, by, key }] of steps.entries()) {
    const previous = receipts.at(-1)?.receipt;
    receipts.push(
      signedReceipt(
        {
          eventId: eventIdAt(stream, position),
          stream,
          type,
          payload,
          createdAt: instantOf(startMs + position * 1000),
          issuer: issuerOf(by[0], by[1]),
          idempotencyKey: key as IdempotencyKey,
          prevEventId: previous?.eventId ?? null,
          prevHash: previous?.hash ?? null,
          schemaVersion: 1,
        },
        by[1],
      ),
    );
  }
  return receipts;
};
