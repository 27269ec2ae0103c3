import type { z } from 'zod';
import type { Acknowledged, CommandOutcome } from '../command/ledger-commands.ts';
import type { Answer } from './answer.ts';
import { freshAnswer } from './answer.ts';
import type { Success } from './operation.ts';
import { type Problem, refused } from './problem.ts';
import type { ProblemCode } from './problem-code.ts';
import { acknowledgedSchema } from './resource-schema.ts';
import type { Service } from './service.ts';

/** Where the created or changed resource is, and the ids that came to exist with it. */
type Effect = { readonly location: string; readonly made?: Readonly<Record<string, string>> };

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

/** What any command may be refused for. */
const anyCommand = [
  'not-found',
  'forbidden',
  'idempotency-key-reused',
  'head-mismatch',
  'receipt-too-large',
  'queue-full',
  'contended',
  'outcome-unknown',
  'stream-stopped',
  'account-closed',
] as const satisfies readonly ProblemCode[];

/** What the commands of each kind may be refused for, over and above their input. */
export const refusals = {
  account: [...anyCommand, 'account-exists', 'role-not-allowed'],
  member: [...anyCommand, 'member-exists', 'member-missing', 'last-owner', 'role-not-allowed', 'too-many-members'],
  identity: [
    ...anyCommand,
    'identity-exists',
    'identity-missing',
    'identity-revoked',
    'member-missing',
    'too-many-identities',
    'too-many-keys',
    'operator-identity-fixed',
  ],
  pixbook: [
    ...anyCommand,
    'pixbook-exists',
    'pixbook-closed',
    'stale-base',
    'state-too-large',
    'too-many-pixbooks',
    'identity-missing',
    'identity-revoked',
  ],
} as const satisfies { readonly [kind: string]: readonly ProblemCode[] };
