import type { z } from 'zod';
import type { Acknowledged, CommandOutcome } from '../command/ledger-commands.ts';
import type { Answer } from './answer.ts';
import { freshAnswer } from './answer.ts';
import type { Success } from './operation.ts';
import { type Problem, refused } from './problem.ts';
import { acknowledgedSchema } from './resource-schema.ts';
import type { Service } from './service.ts';

/** The ids that came to exist with a receipt, by member. */
type Made = Readonly<Record<string, string | readonly string[]>>;
/** Where the created or changed resource is, and what was made. */
export type Effect = { readonly location: string; readonly made?: Made };

/**
 * What a command answers. From `ok` on the receipt is durable: nothing below can fail, so that it is always acknowledged. A replayed key gets the
 * same body, and is told apart by a header field alone.
 */
export const acknowledge = (
  { traffic }: Service,
  operation: string,
  outcome: CommandOutcome,
  effectOf: (receipt: Acknowledged) => Effect,
): Answer | Problem => {
  if (!outcome.ok) {
    traffic.command(operation, outcome.error.code);
    return refused(outcome.error);
  }
  const { eventId, hash, position, projection, replayed } = outcome.value;
  traffic.command(operation, replayed ? 'replayed' : 'written');
  const { location, made } = effectOf(outcome.value);
  return freshAnswer(
    201,
    { eventId, hash, position, projection, ...made },
    { Location: location, ETag: `"${hash}"`, ...(replayed ? { 'Idempotency-Replayed': 'true' } : {}) },
  );
};

/** The 201 of a command, for the API description. */
export const acknowledged = (made: Readonly<Record<string, z.ZodType>> = {}, name = 'Acknowledged'): readonly Success[] => [
  {
    status: 201,
    description: 'The receipt is durable. Repeating the request with the same Idempotency-Key gives this very answer.',
    content: { 'application/json': acknowledgedSchema(name, made) },
    fields: ['Location', 'ETag', 'Idempotency-Replayed', 'Cache-Control'],
  },
];
