import { z } from 'zod';
import { plans } from '../stream/account/event.ts';
import { accountStatuses } from '../stream/account/evolve.ts';
import {
  accountIdSchema as accountId,
  bookIdSchema as bookId,
  collectionIdSchema as collectionId,
  eventIdSchema as eventId,
  receiptHashSchema as hash,
  identityIdSchema as identityId,
  instantSchema as instant,
  invitationIdSchema as invitationId,
  publicKeyIdSchema as publicKeyId,
  userIdSchema as userId,
} from './id-schema.ts';
import { problemCodes } from './problem-code.ts';
import { jsonObjectSchema as jsonObject, roleSchema as role } from './schema.ts';

/** What is answered, as the API description publishes it and the tests check it. Answers are not parsed in production. */
const position = z.int().min(0).meta({ description: 'Place in the stream, from 0' });
const publicKey = z.string().meta({ description: 'Standard base64 of the SPKI DER' });

export const headSchema = z
  .strictObject({ position, eventId, hash, createdAt: instant })
  .meta({ id: 'Head', description: 'The last applied receipt of a stream' });

export const accountSchema = z
  .strictObject({
    accountId,
    status: z.enum(accountStatuses),
    plan: z.enum(plans),
    createdAt: instant,
    closedAt: instant.nullable(),
    suspendedAt: instant.nullable(),
    suspensionReason: z.string().nullable(),
    head: headSchema,
  })
  .meta({ id: 'Account' });

export const membershipSchema = z.strictObject({ accountId, role }).meta({ id: 'Membership' });
export const memberSchema = z.strictObject({ userId, role, since: instant }).meta({ id: 'Member' });

export const invitationSchema = z
  .strictObject({ invitationId, role, invitedBy: userId, createdAt: instant, expiresAt: instant })
  .meta({ id: 'Invitation', description: 'Neither accepted nor withdrawn; its time may be over' });

export const identitySchema = z
  .strictObject({
    identityId,
    accountId,
    status: z.enum(['active', 'revoked']),
    controller: userId.nullable(),
    publicKeyId,
    publicKey,
    keyGeneration: z.int().min(1),
    createdAt: instant,
    revokedAt: instant.nullable(),
  })
  .meta({ id: 'Identity' });

export const keySchema = z
  .strictObject({
    publicKeyId,
    publicKey,
    identityId,
    accountId,
    keyGeneration: z.int().min(1),
    validFrom: instant,
    validUntil: instant.nullable(),
  })
  .meta({ id: 'Key' });

export const pixbookSchema = z
  .strictObject({
    bookId,
    accountId,
    identityId,
    collectionId,
    generation: z.int().min(1),
    status: z.enum(['open', 'closed']),
    state: jsonObject.nullable(),
    stateEventId: eventId.nullable(),
    createdAt: instant,
    savedAt: instant.nullable(),
    closedAt: instant.nullable(),
    head: headSchema,
  })
  .meta({ id: 'Pixbook' });

const stream = z
  .union([
    z.strictObject({ type: z.literal('pixbook'), accountId, bookId }),
    z.strictObject({ type: z.literal('account'), accountId }),
    z.strictObject({ type: z.literal('collection'), collectionId }),
    z.strictObject({ type: z.literal('code'), codeId: z.string() }),
  ])
  .meta({ id: 'Stream' });

export const receiptSchema = z
  .strictObject({
    createdAt: instant,
    eventId,
    hash,
    idempotencyKey: z.string().min(1).max(255),
    issuer: z.strictObject({ identityId, publicKeyId }),
    payload: jsonObject,
    prevEventId: eventId.nullable(),
    prevHash: hash.nullable(),
    schemaVersion: z.literal(1),
    signature: z.string().meta({ description: 'ecdsa-p256: and the standard base64 of r‖s, low-S' }),
    stream,
    type: z.string().meta({ examples: ['PIXBOOK_SAVE'] }),
  })
  .meta({
    id: 'Receipt',
    description: 'A receipt, byte for byte as the store has it: RFC 8785 bytes that you can hash and verify',
  });

/** What a command answers, with the ids it made. */
export const acknowledgedSchema = <Made extends Record<string, z.ZodType>>(name: string, made: Made) =>
  z
    .strictObject({
      eventId,
      hash,
      position,
      projection: z.enum(['applied', 'pending']).meta({ description: 'pending: durable, and reads will show it later' }),
      ...made,
    })
    .meta({ id: name });

/** One page of a list. */
export const pageSchema = (name: string, element: z.ZodType) =>
  z
    .strictObject({
      data: z.array(element),
      meta: z.strictObject({ cursor: z.string().nullable(), hasMore: z.boolean() }),
    })
    .meta({ id: name });

export const verificationSchema = z
  .strictObject({
    valid: z.boolean(),
    receipts: z.int().min(0).meta({ description: 'How many are good, from position 0' }),
    head: headSchema.nullable(),
    fault: z
      .strictObject({ key: z.string(), code: z.string(), detail: z.string() })
      .nullable()
      .meta({ description: 'The first fault, and the object key it is at' }),
  })
  .meta({ id: 'Verification' });

const dependency = z.strictObject({ status: z.enum(['ok', 'down']), reason: z.string().optional() });
export const dependenciesSchema = z
  .strictObject({ postgres: dependency, store: dependency, signer: dependency })
  .meta({ id: 'Dependencies' });

export const readinessSchema = z
  .strictObject({ status: z.enum(['ok', 'degraded']), dependencies: dependenciesSchema })
  .meta({ id: 'Readiness', description: 'degraded: reads work, commands answer 503' });

export const wellKnownSchema = z
  .strictObject({
    issuer: z.string(),
    fingerprint: publicKeyId,
    operator: z.strictObject({ accountId, identityId, publicKey, genesis: z.string() }),
    receipts: z.strictObject({
      schemaVersion: z.literal(1),
      hash: z.string(),
      signature: z.string(),
      canonicalization: z.string(),
    }),
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'LedgerIdentity' });

const inputFault = z
  .strictObject({
    in: z.enum(['body', 'query', 'header']),
    pointer: z.string().meta({ description: 'RFC 6901 JSON pointer into that part' }),
    code: z.string(),
    detail: z.string(),
  })
  .meta({ id: 'InputFault' });

export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(problemCodes).meta({ id: 'ProblemCode', description: 'Stable: switch on it. /problems explains each.' }),
    requestId: z.string(),
    traceId: z.string(),
    errors: z.array(inputFault).optional(),
    dependency: z.enum(['store', 'signer', 'postgres']).optional(),
    dependencies: dependenciesSchema.optional(),
    reason: z.string().optional().meta({ description: 'The sign-in system’s own code' }),
    message: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });
