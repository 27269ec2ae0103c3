import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, parsePublicKeyId } from '../../receipt/ids.ts';
import { keyAt } from '../../receipt/key-path.ts';
import { accountStream } from '../../receipt/stream.ts';
import { hashedAnswer } from '../answer.ts';
import { noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import { keySchema, wellKnownSchema } from '../resource-schema.ts';
import { readOf } from '../success.ts';

/** A key is rotated once in years, and a verifier asks for many of them. */
const KEY_CACHE = 'public, max-age=60';
const ANCHOR_CACHE = 'public, max-age=3600';

export const readKey = operation({
  id: 'readKey',
  tag: 'Trust',
  summary: 'A public key, whose it is, and when it was good',
  description: 'The account stream is the authority: this is what its projection says.',
  successes: readOf(keySchema, 'The key'),
  problems: ['not-found', 'postgres-unavailable', 'deadline-exceeded'],
  query: noQuery,
  body: noBody,
  handle: async ({ queries }, _nobody: null, { param, headers }) => {
    const publicKeyId = parsePublicKeyId(param('publicKeyId'));
    const key = publicKeyId.ok ? await queries.key(publicKeyId.value) : null;
    return key === null ? notFound : hashedAnswer(headers.get('if-none-match'), key, KEY_CACHE);
  },
});

export const readLedgerIdentity = operation({
  id: 'readLedgerIdentity',
  tag: 'Trust',
  summary: 'The trust anchor of this ledger',
  description: 'Pin `fingerprint`: with it and a copy of the receipts, everything else can be verified without us.',
  successes: readOf(wellKnownSchema, 'What an auditor pins'),
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async ({ ledger, config }, _nobody: null, { headers }) => {
    const document = {
      issuer: config.publicUrl,
      fingerprint: ledger.fingerprint,
      operator: {
        accountId: OPERATOR_ACCOUNT_ID,
        identityId: OPERATOR_IDENTITY_ID,
        publicKey: ledger.publicKey,
        genesis: keyAt(accountStream(OPERATOR_ACCOUNT_ID), 0),
      },
      receipts: {
        schemaVersion: 1,
        hash: 'SHA-256 over RFC 8785 bytes',
        signature: 'ECDSA P-256 with SHA-256, r‖s, low-S',
        canonicalization: 'RFC 8785',
      },
      links: { keys: '/v1/keys/{publicKeyId}', openapi: '/openapi.json', docs: '/docs', health: '/health/ready' },
    };
    return hashedAnswer(headers.get('if-none-match'), document, ANCHOR_CACHE);
  },
});
